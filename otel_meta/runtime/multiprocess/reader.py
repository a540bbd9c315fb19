"""Incremental reader of a worker file or of the totals file."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.family import OVERFLOW

from . import file_format
from .descriptor import MetricDescriptor, descriptor_from_json
from .file_format import PREAMBLE, DamagedError, OtherVersionError, Record, RecordKind
from .filesystem import open_to_read

_UNREADABLE: Final = MetricDescriptor("", "counter", "", "", (), ())
"""Stands for a damaged descriptor, so the positions of later descriptors stay correct."""


REUSE_COUNT, PORT, NUMBER = range(3)
"""Indexes of an owner record's words.

The number of freed and reused records, the port, and the worker number plus one, 0 before the
worker has a number.
"""
OWNER_WORDS: Final = 3
_MAX_NATURAL: Final = 1 << 31


@dataclass(frozen=True)
class Owner:
    """The owner record: the process of a worker file, or the files added up in the totals."""

    service: str
    namespace: str
    started: float
    """Time of `configure()` in Unix seconds. The latest worker has the newest declarations."""
    pid: int = 0
    start_ticks: int = 0
    """Start of the process in clock ticks since boot; with ``pid``, its identity."""
    worker_number: int = 0
    """Smallest number unused among the living workers. The file has it in a word, not here."""
    compacted: tuple[str, ...] | None = None
    """In the totals: names of the files added up which may still exist; else None."""
    record_count: int = 0
    """In the totals: number of records, this record included."""
    origins: tuple[str, ...] = ()
    """In the totals: names of the totals added up, of which each began in an empty directory."""

    def as_json(self) -> bytes:
        """Return the text of an owner record."""
        return orjson.dumps(asdict(self))

    def is_same_service(self, other: Owner) -> bool:
        """Return True if both owners belong to the same service."""
        return (self.service, self.namespace) == (other.service, other.namespace)


class Worker(NamedTuple):
    """The owner of a worker file, and the words of the owner record."""

    owner: Owner
    number: int | None
    """Smallest number unused among the living workers; None before the worker has one."""
    port: int
    """Port of the worker's metrics server; 0 without a server."""


class MappedSeries(NamedTuple):
    """A series in a mapped file. Its numbers are read there at any time."""

    descriptor: MetricDescriptor
    labels: tuple[str, ...]
    start_ns: int
    words: memoryview[float]
    """All words of the mapped region, as doubles."""
    first_word: int
    """Index of the first number of the series."""


DESCRIPTOR: Final = attrgetter("descriptor")
"""The declaration of a series."""
START: Final = attrgetter("start_ns")
"""The start of a series, as its rank under a limit."""


class WorkerFile:
    """The readable content of a file.

    Mapped series stay readable after the file is removed.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.inode = 0
        self.damage: str | None
        """Reason for unread content; None if all of the file was readable."""
        self.other_version: str | None
        """Version of the file, if it is not read because of it."""
        self.revision = 0
        """Increases with each change of the set of series, or of the damage."""
        self._state: tuple[object, ...] = ()
        self._reset()

    def _reset(self) -> None:
        self.damage = None
        self.other_version = None
        self.owner: Owner | None = None
        self.descriptors: list[MetricDescriptor] = []
        self.series: dict[str, list[MappedSeries]] = {}
        """Series by name of the metric."""
        self._size = 0
        self._record_count = 0
        self._regions: list[memoryview] = []
        """Mapped regions. Reading continues in the first."""
        self._offset = 0
        self._owner_words: memoryview[float] | None = None
        self._reuse_count = 0.0

    @property
    def is_totals(self) -> bool:
        """True if the file holds totals, which never change."""
        return self.owner is not None and self.owner.compacted is not None

    @property
    def worker(self) -> Worker | None:
        """The worker of the file; None without an owner record."""
        if self.owner is None or self._owner_words is None:
            return None
        return _worker(self.owner, self._owner_words)

    @property
    def cache_key(self) -> tuple[object, ...]:
        """Key of the records' positions. While it is equal, series are only appended."""
        return (self.path, self.inode, self._reuse_count)

    def all_series(self) -> Iterator[MappedSeries]:
        """Iterate over the series of all metrics."""
        return chain.from_iterable(self.series.values())

    def read(self) -> None:
        """Read new records, or all records again if any was freed or reused.

        A damaged file is read again, from its start: the damage may be a moment in a write.

        Raises:
            FileNotFoundError: the file was removed.
            OSError: the file cannot be opened or mapped. What was read before is unchanged.
        """
        before = self._state
        self._read_from(0 if self._is_outdated() else self._size)
        if self.damage is not None:
            self._read_from(0)
        number = None if self.worker is None else self.worker.number
        self._state = (self._record_count, self._reuse_count, self.damage, number)
        if self._state != before:
            self.revision += 1

    def _is_outdated(self) -> bool:
        words = self._owner_words
        return words is not None and words[REUSE_COUNT] != self._reuse_count

    def _read_from(self, start: int) -> None:
        """Read the records of the bytes from an offset on; from 0 on, forget all others."""
        try:
            self._map(start)
            self._read_regions()
            # The writer may have closed the last mapped region meanwhile, after adding a region.
            while self._is_at_filler() and self._map(self._size):
                self._read_regions()
            self._check_complete()
        except DamagedError as error:
            self.damage = str(error)
        except OtherVersionError as error:
            self.other_version = str(error)

    def _is_at_filler(self) -> bool:
        """Return True if a worker file has been read to the end of its last mapped region."""
        return bool(self._regions) and self._offset == len(self._regions[0]) and not self.is_totals

    def _map(self, start: int) -> bool:
        """Map the bytes of the file from an offset on. Return False if there are none."""
        fd = open_to_read(self.path)
        status = os.fstat(fd)
        try:
            length = status.st_size - status.st_size % file_format.ALIGNMENT - start
            mapped = (
                mmap.mmap(fd, length, access=mmap.ACCESS_READ, offset=start) if length else None
            )
        except (OverflowError, ValueError) as error:  # the file has shrunk
            reraise_interruption(error)
            raise DamagedError(f"it ends after {status.st_size} bytes") from error
        finally:
            os.close(fd)
        if start == 0:
            self._reset()
        self.inode = status.st_ino
        if mapped:
            self._regions.append(memoryview(mapped))
            self._size += length
        return bool(mapped)

    def _read_regions(self) -> None:
        while self._regions:
            region = self._regions[0]
            if not self._offset and self.owner is None:
                file_format.check_preamble(region)
                self._offset = len(PREAMBLE)
            self._read_region(region, region.cast("d"))
            if self._offset < len(region) or len(self._regions) == 1:
                return
            self._regions.pop(0)
            self._offset = 0

    def _read_region(self, region: memoryview, words: memoryview[float]) -> None:
        for record in yielding_gil(file_format.read_records(region, self._offset)):
            try:
                self._read_record(region, words, record)
            except (DamagedError, LookupError, OverflowError, TypeError, ValueError) as error:
                reraise_interruption(error)
                self.damage = str(error)  # later records are still readable
                if record.kind == RecordKind.DESCRIPTOR:
                    self.descriptors.append(_UNREADABLE)
            self._record_count += 1
            self._offset = record.offset + record.length

    def _read_record(self, region: memoryview, words: memoryview[float], record: Record) -> None:
        if record.kind == RecordKind.OWNER and record.word_count >= OWNER_WORDS:
            self._add_owner(file_format.read_text(region, record), words, record)
        elif record.kind == RecordKind.DESCRIPTOR:
            self.descriptors.append(descriptor_from_json(file_format.read_text(region, record)))
        elif record.kind == RecordKind.SERIES and words[record.first_word]:
            if self.is_totals:
                file_format.verify_words(region, record)
            self._add_series(file_format.read_text(region, record), words, record)

    def _add_owner(self, text: dict[str, Any], words: memoryview[float], record: Record) -> None:
        self.owner = _owner_from_json(text)
        self._owner_words = words[record.first_word : record.first_word + record.word_count]
        self._reuse_count = self._owner_words[REUSE_COUNT]

    def _add_series(self, text: list[Any], words: memoryview[float], record: Record) -> None:
        index: int = text[0]
        values: list[str] | None = text[1]
        descriptor = self.descriptors[index] if index < len(self.descriptors) else _UNREADABLE
        if descriptor is _UNREADABLE or not _fits(descriptor, values, record):
            raise DamagedError(f"the series at byte {record.offset} does not fit its descriptor")
        labels = OVERFLOW if values is None else tuple(values)
        start = record.first_word
        series = MappedSeries(descriptor, labels, int(words[start]), words, start + 1)
        self.series.setdefault(descriptor.name, []).append(series)

    def _check_complete(self) -> None:
        if self.owner is None:
            raise DamagedError("it has no owner record")
        if self.is_totals:
            is_complete = self._record_count == self.owner.record_count
        else:  # a full region implies a next region
            is_complete = self._size % file_format.REGION_SIZE == 0 and self._offset < len(
                self._regions[0]
            )
        if not is_complete:
            raise DamagedError(f"it is truncated after {self._record_count} records")


def read_worker(path: Path) -> Worker | None:
    """Return the worker of a file, without the other records; None without an owner record.

    Raises:
        OSError: the file cannot be read.
        OtherVersionError: the file has another version of the format.
    """
    with os.fdopen(open_to_read(path), "rb", buffering=0) as file:
        region = memoryview(file.read(file_format.REGION_SIZE) or b"")
    try:
        file_format.check_preamble(region)
        record = next(file_format.read_records(region, len(PREAMBLE)))
        owner = _owner_from_json(file_format.read_text(region, record))
        words = region[: record.offset + record.length].cast("d")
        return _worker(owner, words[record.first_word :])
    except (DamagedError, LookupError, StopIteration, TypeError, ValueError) as error:
        reraise_interruption(error)
        return None


def _owner_from_json(text: dict[str, Any]) -> Owner:
    known = {field.name: text[field.name] for field in fields(Owner) if field.name in text}
    owner = Owner(**known)
    compacted = None if owner.compacted is None else tuple(owner.compacted)
    return replace(owner, compacted=compacted, origins=tuple(owner.origins))


def _worker(owner: Owner, words: memoryview[float]) -> Worker:
    port, number = _natural(words[PORT]), _natural(words[NUMBER])
    return Worker(owner, number - 1 if number else None, port)


def _natural(word: float) -> int:
    """Return a word as an integer, and 0 for a word of a damaged record."""
    return int(word) if 0 <= word < _MAX_NATURAL else 0


def _fits(descriptor: MetricDescriptor, values: list[str] | None, record: Record) -> bool:
    """Return True if a series has as many label values and words as its descriptor says."""
    label_count = len(descriptor.labels)
    return record.word_count == 1 + descriptor.width and (
        values is None or len(values) == label_count
    )
