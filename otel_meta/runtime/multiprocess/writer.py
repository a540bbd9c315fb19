"""Writer of the worker file of this process."""

from __future__ import annotations

import errno
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from otel_meta.model import Instrument
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.family import OVERFLOW

from . import file_format
from .descriptor import describe
from .directory import Directory, try_lock
from .file_format import Record, RecordKind
from .growing_file import GrowingFile
from .reader import NUMBER, OWNER_WORDS, PORT, REUSE_COUNT, Owner

REUSE_DELAY: Final = 60.0
"""Seconds before a freed record is reused, so every reader has scanned meanwhile."""


class MappedRecord(NamedTuple):
    """A record in the mapped file of this process."""

    region: memoryview
    record: Record

    @property
    def words(self) -> memoryview[float]:
        """The words of the record; in a series, the first is the start time."""
        first = self.record.first_word
        return self.region.cast("d")[first : first + self.record.word_count]


class WorkerFileWriter:
    """Appends metric descriptors and series to the file of this process. Not thread-safe.

    Args:
        path: path of the file, once it is complete.
        fds: file descriptors of the empty file: the first is locked, the second is mapped.
        owner: the owner record.

    Raises:
        OSError: the disk is full.
    """

    def __init__(self, path: Path, fds: tuple[int, int], owner: Owner) -> None:
        self.path: Final = path
        self._fds: Final = fds
        self._file: Final = GrowingFile(fds[1])
        record = self._file.append(RecordKind.OWNER, owner.as_json(), OWNER_WORDS)
        self._owner_words: Final = MappedRecord(*record).words
        self._descriptor_indexes: Final[dict[Instrument[...], int]] = {}
        self._freed: Final = defaultdict[tuple[int, int], deque[tuple[float, MappedRecord]]](deque)

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

    def is_in_place(self) -> bool:
        """Return False if the directory has no such file any more, or another of its name."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._fds[0]))
        except (FileNotFoundError, NotADirectoryError) as error:
            reraise_interruption(error)
            return False
        except OSError as error:  # unknown, until the next call
            reraise_interruption(error)
            return True

    def allocate(
        self,
        descriptor_index: int,
        labels: tuple[str, ...],
        width: int,
        *,
        start_ns: int,
        use_reserve: bool,
    ) -> MappedRecord:
        """Return the record of a new series, with all numbers zero.

        Raises:
            OSError: the disk is full.
        """
        text = orjson.dumps((descriptor_index, None if labels is OVERFLOW else labels))
        start = float(start_ns)
        series = self._reusable_record(descriptor_index, text, width + 1)
        if series is None:
            record = self._file.append(
                RecordKind.SERIES, text, width + 1, first_word=start, use_reserve=use_reserve
            )
            return MappedRecord(*record)
        file_format.write_text(*series, text)
        series.words[0] = start
        self._owner_words[REUSE_COUNT] += 1
        return series

    def free(self, descriptor_index: int, series: MappedRecord) -> None:
        """Remove a series, and keep its record for reuse."""
        series.words[0] = 0.0
        self._owner_words[REUSE_COUNT] += 1
        key = (descriptor_index, series.record.length)
        self._freed[key].append((time.monotonic(), series))

    def publish_port(self, port: int) -> None:
        """Store the port of this process' metrics server, 0 without a server."""
        self._owner_words[PORT] = float(port)

    @property
    def has_number(self) -> bool:
        """True once the worker has its number."""
        return bool(self._owner_words[NUMBER])

    def publish_number(self, number: int) -> None:
        """Store the number of this worker. Call it with the directory lock."""
        self._owner_words[NUMBER] = number + 1.0

    def close(self) -> None:
        """Close the file and release its lock. The mapped numbers stay writable."""
        for fd in self._fds:
            os.close(fd)

    def _reusable_record(
        self, descriptor_index: int, text: bytes, word_count: int
    ) -> MappedRecord | None:
        freed = self._freed.get((descriptor_index, file_format.record_size(text, word_count)))
        if not freed or freed[0][0] + REUSE_DELAY > time.monotonic():
            return None
        _, series = freed.popleft()
        for index in range(1, word_count):
            series.words[index] = 0.0
        return series


def create_worker_file(directory: Directory, owner: Owner) -> WorkerFileWriter:
    """Create and lock a worker file. The directory lock is not needed.

    Raises:
        OSError: the disk is full, or the directory is not writable.
    """
    new = directory.new_path()
    fds = _open_new(new)
    try:
        path = directory.new_worker_path(owner.pid)
        file = WorkerFileWriter(path, fds, owner)
        new.replace(path)
    except BaseException:
        _discard(new, fds)
        raise
    return file


def check_writable(directory: Directory) -> None:
    """Create and remove a file, to find errors at start.

    Raises:
        OSError: the disk is full, the directory is not writable, or its files cannot be locked.
    """
    new = directory.new_path()
    fds = _open_new(new)
    try:
        GrowingFile(fds[1])
    finally:
        _discard(new, fds)


def _open_new(path: Path) -> tuple[int, int]:
    """Create and lock a file, and return the file descriptors of the lock and for the mapping.

    `mmap` duplicates the file descriptor of a mapping. With a single descriptor, a forked child
    would hold the lock until its own end.
    """
    locked = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        _lock_new(locked)
        return locked, os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except BaseException:
        _discard(path, (locked,))
        raise


def _lock_new(fd: int) -> None:
    if not try_lock(fd):
        raise OSError(errno.ENOLCK, "its file system has no locks")


def _discard(new: Path, fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
    with suppress_faults(OSError):
        new.unlink(missing_ok=True)
