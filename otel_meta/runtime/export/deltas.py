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
    """The readings of a reader at the last delivered collection; removed series are forgotten.

    A collection that is not delivered changes nothing, so that the next delta includes its numbers.
    """

    def __init__(self) -> None:
        self._delivered: dict[Cell, Reading] = {}
        self._collected: dict[Cell, Reading] = {}
        self._now_ns = 0

    def begin_collection(self, now_ns: int, *, with_values: bool = False) -> None:  # noqa: ARG002 - of `JobDeltas`
        """Begin a collection, which has the values of all series."""
        self._collected = {}
        self._now_ns = now_ns

    def end_collection(self, *, delivered: bool) -> None:
        """End a collection; if it was delivered, deltas now count from it."""
        if delivered:
            self._delivered = self._collected

    def is_known(self, cell: Cell) -> bool:
        """Return True if a point of a series was delivered."""
        return cell in self._delivered

    def seconds_to_hold(self) -> float:
        """Return the seconds for which counts of delivered series wait."""
        return 0.0

    def cumulative(self, cell: Cell) -> Reading:
        """Return the numbers since the start of the series."""
        return Reading(cell.start_ns, cell.read())

    def delta(self, cell: Cell) -> Reading | None:
        """Return the change since the last delivered collection; None if the numbers are equal."""
        numbers = cell.read()
        self._collected[cell] = Reading(max(self._now_ns, cell.start_ns), numbers)
        previous = self._delivered.get(cell)
        if previous is None:
            return Reading(cell.start_ns, numbers) if any(numbers) else None
        if numbers == previous.numbers:
            return None
        return Reading(previous.start_ns, tuple(map(sub, numbers, previous.numbers)))
