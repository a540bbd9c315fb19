"""The result of a scan of the multiprocess directory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from .reader import WorkerFile

MissingReason = Literal["private", "unreadable", "version", "scan"]
"""Why a worker is not on the page, or not with all its series.

- "private": the process has numbers in private memory, because it cannot write its file.
- "unreadable": its file, or the file of the totals, cannot be read.
- "version": its file has another version of the format.
- "scan": the directory cannot be read. The page shows the series of the last scan.
"""
MISSING_REASONS: Final[tuple[MissingReason, ...]] = get_args(MissingReason)


@dataclass(frozen=True)
class Scan:
    """The files of one moment. Every recorded value is in exactly one file."""

    totals: WorkerFile | None = None
    dead: tuple[WorkerFile, ...] = ()
    """Files of dead workers that are not in the totals."""
    living: tuple[WorkerFile, ...] = ()
    cache_key: tuple[object, ...] = ()
    """Differs between two scans if the files or the series in them differ."""
    missing: Mapping[MissingReason, int] = field(default_factory=dict)
    """Number of missing workers by reason."""

    @property
    def files(self) -> tuple[WorkerFile, ...]:
        """All files."""
        totals = () if self.totals is None else (self.totals,)
        return (*totals, *self.dead, *self.living)

    def numbered(self) -> Iterator[tuple[int, WorkerFile]]:
        """Iterate over the living workers with their numbers.

        A worker has its number a moment after its file. Until then it has the smallest free number.
        """
        known = [file.worker.number if file.worker is not None else None for file in self.living]
        free = (number for number in range(2 * len(known)) if number not in known)
        for number, file in zip(known, self.living, strict=True):
            yield next(free) if number is None else number, file


@dataclass
class Found:
    """The files of a directory, before compaction."""

    totals: WorkerFile | None = None
    are_totals_known: bool = False
    """True if there are no totals, or if they were read. Unknown totals must not be replaced."""
    dead: list[WorkerFile] = field(default_factory=list)
    """Files of dead workers that are not in the totals."""
    leftover: list[WorkerFile] = field(default_factory=list)
    """Files of dead workers that are in the totals. A crash left them behind."""
    living: list[WorkerFile] = field(default_factory=list)
    missing: Counter[MissingReason] = field(default_factory=Counter)

    def take_totals(self, totals: WorkerFile) -> None:
        """Add the totals, after all files of workers."""
        names = totals.owner.compacted if totals.owner is not None else None
        self.totals, self.are_totals_known = totals, True
        self.leftover = [file for file in self.dead if file.path.name in (names or ())]
        self.dead = [file for file in self.dead if file not in self.leftover]

    def sort(self) -> None:
        """Put the oldest worker first."""
        self.dead.sort(key=_started)
        self.living.sort(key=_started)

    def scan(self) -> Scan:
        """Return the result of the scan."""
        missing = dict(self.missing)
        return Scan(self.totals, tuple(self.dead), tuple(self.living), missing=missing)


def _started(file: WorkerFile) -> float:
    return file.owner.started if file.owner is not None else 0.0
