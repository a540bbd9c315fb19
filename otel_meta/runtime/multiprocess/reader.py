"""What a file of numbers holds, read on as it grows."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.recording.family import OVERFLOW

from . import file_format as layout
from .descriptor import Declared, from_text
from .file_format import DamagedError, Kind, Record

_LOST: Final = Declared("", "counter", "", "", (), (), (0.0,))
"""In the place of a metric that cannot be read. No series fits it."""


REUSES, PORT = 0, 1
"""What the words of an owner say: how often places of series were used again, and the port."""


@dataclass(frozen=True)
class Owner:
    """Who writes a file."""

    service: str
    namespace: str
    started: float
    """When its declarations were loaded, in Unix seconds."""
    pid: int = 0
    ticks: int = 0
    """When the process began, as the kernel counts; with ``pid``, who it is."""
    slot: int = 0
    """A small number that no other living worker has."""
    folded: tuple[str, ...] | None = None
    """Of totals: the files that are in them and may still be there."""
    records: int = 0
    """Of totals: how many records there are."""

    def as_text(self) -> bytes:
        """For a file."""
        return orjson.dumps(asdict(self))


class Series(NamedTuple):
    """A series: whose it is, and where its numbers are at any time."""

    of: Declared
    labels: tuple[str, ...]
    start_ns: int
    words: memoryview[float]
    """All words of the mapped region, as doubles."""
    at: int
    """The first of its numbers among them."""


class WorkerFile:
    """A file as far as it could be read.

    What is mapped stays readable when the file is removed.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.inode = 0
        self.damage: str | None = None
        """Why it could not be read in full."""
        self.changes = 0
        """Grows whenever it holds other series than before."""
        self._forget()

    def _forget(self) -> None:
        self.owner: Owner | None = None
        self.families: list[Declared] = []
        self.series: dict[str, list[Series]] = {}
        """By the name of their metric."""
        self._size = 0
        self._records = 0
        self._regions: list[memoryview] = []
        """The first is where reading goes on."""
        self._at = 0
        self._said: memoryview[float] | None = None
        self._reuses = 0.0

    @property
    def is_totals(self) -> bool:
        """Whether it holds what was folded, and changes no more."""
        return self.owner is not None and self.owner.folded is not None

    @property
    def port(self) -> int:
        """Where its process serves /metrics; 0 where it does not, on a port of its own."""
        return 0 if self._said is None else int(self._said[PORT])

    @property
    def stamp(self) -> tuple[object, ...]:
        """As long as it is the same, series are added and none is taken away."""
        return (self.path, self.inode, self._reuses)

    def every_series(self) -> Iterator[Series]:
        """All series of all metrics."""
        return chain.from_iterable(self.series.values())

    def read(self) -> None:
        """Read what was added since the last time.

        Raises:
            OSError: it cannot be opened; FileNotFoundError, it is gone.
        """
        if self._said is not None and self._said[REUSES] != self._reuses:
            self._forget()
        before = (self._records, self._reuses, self.damage)
        try:
            self._map()
            self._scan()
            self._check_whole()
        except DamagedError as error:
            self.damage = str(error)
        if before != (self._records, self._reuses, self.damage):
            self.changes += 1

    def _map(self) -> None:
        """Map what was added to the file."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        try:
            self.inode = status.st_ino
            added = status.st_size - status.st_size % layout.UNIT - self._size
            if added:
                mapped = mmap.mmap(descriptor, added, access=mmap.ACCESS_READ, offset=self._size)
                self._regions.append(memoryview(mapped))
                self._size += added
        except ValueError as error:  # shorter than it was, or empty
            raise DamagedError(f"it ends after {status.st_size} bytes") from error
        finally:
            os.close(descriptor)

    def _scan(self) -> None:
        while self._regions:
            region = self._regions[0]
            if not self._at and self.owner is None:
                layout.check_preamble(region)
                self._at = len(layout.PREAMBLE)
            self._scan_region(region, region.cast("d"))
            if self._at < len(region) or len(self._regions) == 1:
                return
            self._regions.pop(0)
            self._at = 0

    def _scan_region(self, region: memoryview, words: memoryview[float]) -> None:
        for record in yielding_gil(layout.records(region, self._at)):
            try:
                self._take(region, words, record)
            except (DamagedError, LookupError, TypeError, ValueError) as error:
                self.damage = str(error)  # and the records after it can be read
                if record.kind == Kind.FAMILY:
                    self.families.append(_LOST)
            self._records += 1
            self._at = record.at + record.length

    def _take(self, region: memoryview, words: memoryview[float], record: Record) -> None:
        if record.kind == Kind.OWNER and record.words > PORT:
            self._take_owner(layout.text_of(region, record), words, record)
        elif record.kind == Kind.FAMILY:
            self.families.append(from_text(layout.text_of(region, record)))
        elif record.kind == Kind.SERIES and words[record.first_word]:
            if self.is_totals:
                layout.check_words(region, record)
            self._take_series(layout.text_of(region, record), words, record)

    def _take_owner(self, said: dict[str, Any], words: memoryview[float], record: Record) -> None:
        known = {field.name: said[field.name] for field in fields(Owner) if field.name in said}
        owner = Owner(**known)
        self.owner = owner if owner.folded is None else replace(owner, folded=tuple(owner.folded))
        self._said = words[record.first_word : record.first_word + record.words]
        self._reuses = self._said[REUSES]

    def _take_series(self, said: list[Any], words: memoryview[float], record: Record) -> None:
        family: int = said[0]
        labels: list[str] | None = said[1]
        of = self.families[family] if family < len(self.families) else _LOST
        if record.words != 1 + of.width or len(of.labels) != len(labels or of.labels):
            raise DamagedError(f"the series at byte {record.at} is of no metric")
        named = OVERFLOW if labels is None else tuple(labels)
        at = record.first_word
        series = Series(of, named, int(words[at]), words, at + 1)
        self.series.setdefault(of.name, []).append(series)

    def _check_whole(self) -> None:
        if self.owner is None:
            raise DamagedError("it does not say whose it is")
        if self.is_totals:
            whole = self._records == self.owner.records
        else:  # before a region is full, the next one is there
            whole = self._size % layout.REGION == 0 and self._at < len(self._regions[0])
        if not whole:
            raise DamagedError(f"it ends after {self._records} records, and there were more")
