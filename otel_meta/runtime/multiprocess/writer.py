"""The file in which a process keeps its numbers."""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from typing import Final, NamedTuple

import orjson

from otel_meta.model import Instrument
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.recording.family import OVERFLOW

from . import file_format as layout
from .descriptor import declared
from .directory import Directory, lock
from .file_format import Kind, Record
from .growing_file import GrowingFile
from .reader import PORT, REUSES, Owner

_QUARANTINE: Final = 60.0
"""Seconds until a removed series' place is used again: no reader looks at the old one any more."""


class _Place(NamedTuple):
    region: memoryview
    record: Record

    @property
    def words(self) -> memoryview[float]:
        first = self.record.first_word
        return self.region.cast("d")[first : first + self.record.words]


class WorkerFileWriter:
    """The file of this process, for as long as it lives."""

    def __init__(self, descriptors: tuple[int, int], owner: Owner) -> None:
        self._descriptors: Final = descriptors
        self._growing: Final = GrowingFile(descriptors[1])
        self._said: Final = _Place(*self._growing.append(Kind.OWNER, owner.as_text(), 2)).words
        self._families: Final[dict[Instrument[...], int]] = {}
        self._taken: Final[dict[tuple[int, tuple[str, ...]], _Place]] = {}
        self._freed: Final = defaultdict[tuple[int, int], deque[tuple[float, _Place]]](deque)

    def family(self, instrument: Instrument[...], max_series: int) -> int:
        """The number of a metric in this file, declared there if it is new."""
        number = self._families.get(instrument)
        if number is None:
            text = declared(instrument, max_series).as_text()
            self._growing.append(Kind.FAMILY, text, 0, urgent=instrument is FAULTS)
            number = self._families[instrument] = len(self._families)
        return number

    def place(
        self, family: int, labels: tuple[str, ...], width: int, *, urgent: bool
    ) -> memoryview[float]:
        """The numbers of a new series, all zero."""
        text = orjson.dumps((family, None if labels is OVERFLOW else labels))
        began = float(time.time_ns())
        place = self._freed_place(family, text, width + 1)
        if place is None:
            written = self._growing.append(Kind.SERIES, text, width + 1, first=began, urgent=urgent)
            place = _Place(*written)
        else:
            layout.write_text(*place, text)
            place.words[0] = began
            self._said[REUSES] += 1
        self._taken[family, labels] = place
        return place.words[1:]

    def free(self, family: int, labels: tuple[str, ...]) -> None:
        """Take a series out, and keep its place for another."""
        place = self._taken.pop((family, labels), None)
        if place is not None:
            place.words[0] = 0.0
            self._said[REUSES] += 1
            self._freed[family, place.record.length].append((time.monotonic(), place))

    def publish_port(self, number: int) -> None:
        """Say that this process listens on a port, with others or alone."""
        self._said[PORT] = float(number)

    def leave(self) -> None:
        """Let go of the file; what is mapped can still be written to."""
        for descriptor in self._descriptors:
            os.close(descriptor)

    def _freed_place(self, family: int, text: bytes, words: int) -> _Place | None:
        freed = self._freed.get((family, layout.size_of(text, words)))
        if not freed or freed[0][0] + _QUARANTINE > time.monotonic():
            return None
        _, place = freed.popleft()
        for index in range(1, words):
            place.words[index] = 0.0
        return place


def create(directory: Directory, owner: Owner) -> WorkerFileWriter:
    """Make a file for a process, under the directory's lock.

    Raises:
        OSError: there is no place for it, or nothing may be written there.
    """
    descriptors = _open(directory)
    try:
        lock(descriptors[0])
        file = WorkerFileWriter(descriptors, owner)
        directory.new.replace(directory.name_for(owner.pid))
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        directory.clear()
        raise
    return file


def try_out(directory: Directory) -> None:
    """Make a file as `create` does and remove it.

    Raises:
        OSError: as there.
    """
    descriptors = _open(directory)
    try:
        if not lock(descriptors[0]):
            raise BlockingIOError("its file system has no locks")
        GrowingFile(descriptors[1])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        directory.clear()


def _open(directory: Directory) -> tuple[int, int]:
    """A new file, once to be locked and once to be mapped.

    A map keeps a copy of its descriptor. Were it the one that is locked, a forked child could not
    let go of the lock.
    """
    locked = os.open(directory.new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    return locked, os.open(directory.new, os.O_RDWR | os.O_CLOEXEC)
