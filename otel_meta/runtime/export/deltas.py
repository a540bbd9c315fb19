"""What one reader is told of each series: everything so far, or what came since it last looked."""

from __future__ import annotations

from operator import sub
from typing import NamedTuple

from otel_meta.runtime.recording.cells import Cell


class Reading(NamedTuple):
    """Numbers of a series, laid out as its slot is, and the moment since which they count."""

    start_ns: int
    numbers: tuple[float, ...]


class DeltaState:
    """The readings of one reader, look after look; series that are gone are forgotten."""

    def __init__(self) -> None:
        self._before: dict[Cell, Reading] = {}
        self._now: dict[Cell, Reading] = {}
        self._now_ns = 0

    def look(self, now_ns: int) -> None:
        """Begin to look at every series anew."""
        self._before, self._now = self._now, {}
        self._now_ns = now_ns

    def total(self, cell: Cell) -> Reading:
        """Everything since the series began."""
        return Reading(cell.start_ns, cell.read())

    def change(self, cell: Cell) -> Reading | None:
        """What came since the last look; None if nothing did."""
        numbers = cell.read()
        self._now[cell] = Reading(max(self._now_ns, cell.start_ns), numbers)
        before = self._before.get(cell)
        if before is None:
            return Reading(cell.start_ns, numbers) if any(numbers) else None
        if numbers == before.numbers:
            return None
        return Reading(before.start_ns, tuple(map(sub, numbers, before.numbers)))
