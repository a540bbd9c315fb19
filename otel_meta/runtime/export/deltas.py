"""Cumulative values and deltas of each series, for a reader of metrics."""

from __future__ import annotations

from operator import sub
from typing import NamedTuple

from otel_meta.runtime.recording.cells import Cell


class Reading(NamedTuple):
    """The numbers of a series, in the order of `Cell.read`, and the start of their interval."""

    start_ns: int
    numbers: tuple[float, ...]


class DeltaState:
    """The readings of a reader at the previous collection; removed series are forgotten."""

    def __init__(self) -> None:
        self._previous: dict[Cell, Reading] = {}
        self._current: dict[Cell, Reading] = {}
        self._now_ns = 0

    def begin_collection(self, now_ns: int) -> None:
        """Begin a collection: deltas now count from the previous collection."""
        self._previous, self._current = self._current, {}
        self._now_ns = now_ns

    def cumulative(self, cell: Cell) -> Reading:
        """Return the numbers since the start of the series."""
        return Reading(cell.start_ns, cell.read())

    def delta(self, cell: Cell) -> Reading | None:
        """Return the change since the previous collection; None if the numbers are equal."""
        numbers = cell.read()
        self._current[cell] = Reading(max(self._now_ns, cell.start_ns), numbers)
        previous = self._previous.get(cell)
        if previous is None:
            return Reading(cell.start_ns, numbers) if any(numbers) else None
        if numbers == previous.numbers:
            return None
        return Reading(previous.start_ns, tuple(map(sub, numbers, previous.numbers)))
