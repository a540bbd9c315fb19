"""Writer of the worker file of this process."""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from typing import Final, NamedTuple

import orjson

from otel_meta.model import Instrument
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.recording.family import OVERFLOW

from . import file_format
from .descriptor import describe
from .directory import Directory, try_lock
from .file_format import Record, RecordKind
from .growing_file import GrowingFile
from .reader import PORT, REUSE_COUNT, Owner

REUSE_DELAY: Final = 60.0
"""Seconds before a freed record is reused, so every reader has scanned meanwhile."""


class _MappedRecord(NamedTuple):
    region: memoryview
    record: Record

    @property
    def words(self) -> memoryview[float]:
        first = self.record.first_word
        return self.region.cast("d")[first : first + self.record.word_count]


class WorkerFileWriter:
    """Appends metric descriptors and series to the file of this process. Not thread-safe.

    Args:
        fds: file descriptors of the empty file: the first is locked, the second is mapped.
        owner: the owner record.

    Raises:
        OSError: the disk is full.
    """

    def __init__(self, fds: tuple[int, int], owner: Owner) -> None:
        self._fds: Final = fds
        self._file: Final = GrowingFile(fds[1])
        record = self._file.append(RecordKind.OWNER, owner.as_json(), 2)
        self._owner_words: Final = _MappedRecord(*record).words
        self._descriptor_indexes: Final[dict[Instrument[...], int]] = {}
        self._allocated: Final[dict[tuple[int, tuple[str, ...]], _MappedRecord]] = {}
        self._freed: Final = defaultdict[tuple[int, int], deque[tuple[float, _MappedRecord]]](deque)

    def descriptor_index(self, instrument: Instrument[...], max_series: int) -> int:
        """Return the position of a metric's descriptor in this file, appended if it is new.

        Raises:
            OSError: the disk is full.
        """
        index = self._descriptor_indexes.get(instrument)
        if index is None:
            text = describe(instrument, max_series).as_json()
            is_fault = instrument is FAULTS
            self._file.append(RecordKind.DESCRIPTOR, text, 0, use_reserve=is_fault)
            index = self._descriptor_indexes[instrument] = len(self._descriptor_indexes)
        return index

    def allocate(
        self, descriptor_index: int, labels: tuple[str, ...], width: int, *, use_reserve: bool
    ) -> memoryview[float]:
        """Return the numbers of a new series, all zero.

        Raises:
            OSError: the disk is full.
        """
        text = orjson.dumps((descriptor_index, None if labels is OVERFLOW else labels))
        start = float(time.time_ns())
        series = self._reusable_record(descriptor_index, text, width + 1)
        if series is None:
            record = self._file.append(
                RecordKind.SERIES, text, width + 1, first_word=start, use_reserve=use_reserve
            )
            series = _MappedRecord(*record)
        else:
            file_format.write_text(*series, text)
            series.words[0] = start
            self._owner_words[REUSE_COUNT] += 1
        self._allocated[descriptor_index, labels] = series
        return series.words[1:]

    def free(self, descriptor_index: int, labels: tuple[str, ...]) -> None:
        """Remove a series, and keep its record for reuse."""
        series = self._allocated.pop((descriptor_index, labels), None)
        if series is not None:
            series.words[0] = 0.0
            self._owner_words[REUSE_COUNT] += 1
            key = (descriptor_index, series.record.length)
            self._freed[key].append((time.monotonic(), series))

    def publish_port(self, port: int) -> None:
        """Store the port of this process' metrics server, 0 without a server."""
        self._owner_words[PORT] = float(port)

    def close(self) -> None:
        """Close the file and release its lock. The mapped numbers stay writable."""
        for fd in self._fds:
            os.close(fd)

    def _reusable_record(
        self, descriptor_index: int, text: bytes, word_count: int
    ) -> _MappedRecord | None:
        freed = self._freed.get((descriptor_index, file_format.record_size(text, word_count)))
        if not freed or freed[0][0] + REUSE_DELAY > time.monotonic():
            return None
        _, series = freed.popleft()
        for index in range(1, word_count):
            series.words[index] = 0.0
        return series


def create_worker_file(directory: Directory, owner: Owner) -> WorkerFileWriter:
    """Create and lock a worker file. Call it with the directory lock.

    Raises:
        OSError: the disk is full, or the directory is not writable.
    """
    fds = _open_new(directory)
    try:
        try_lock(fds[0])
        file = WorkerFileWriter(fds, owner)
        directory.new.replace(directory.new_worker_path(owner.pid))
    except BaseException:
        for fd in fds:
            os.close(fd)
        directory.remove_new()
        raise
    return file


def check_writable(directory: Directory) -> None:
    """Create and remove a file, to find errors at start. Call it with the directory lock.

    Raises:
        OSError: the disk is full, the directory is not writable, or its files cannot be locked.
    """
    fds = _open_new(directory)
    try:
        if not try_lock(fds[0]):
            raise BlockingIOError("its file system has no locks")
        GrowingFile(fds[1])
    finally:
        for fd in fds:
            os.close(fd)
        directory.remove_new()


def _open_new(directory: Directory) -> tuple[int, int]:
    """Open a new file twice, and return the file descriptors to lock and to map.

    `mmap` duplicates the file descriptor of a mapping. With a single descriptor, a forked child
    would hold the lock until its own end.
    """
    locked = os.open(directory.new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    return locked, os.open(directory.new, os.O_RDWR | os.O_CLOEXEC)
