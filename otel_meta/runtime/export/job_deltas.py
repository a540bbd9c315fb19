"""Deltas of a process that ends early: every series is delivered at zero before its first count.

A Collector adds the deltas of all runs of a job. A scrape of a new series at its first count shows
no increase, because Prometheus compares two samples. So the zero of a new series is delivered
first, and its counts wait until a scrape has seen the zero. Series that do not change have deltas
of zero, so that the Collector keeps them while the job runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import sub
from typing import Final

from otel_meta.runtime.recording.cells import Cell

from .deltas import DeltaState, Reading


class JobDeltas(DeltaState):
    """The readings of a reader of a job.

    Args:
        hold: seconds from the delivery of a zero to the first count.
        clock: monotonic clock in seconds.
    """

    def __init__(self, hold: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._hold: Final = hold
        self._clock: Final = clock
        self._zero_since: dict[Cell, float] = {}
        """When the zero of a young series was delivered for the first time."""
        self._zeros: list[Cell] = []
        self._held: set[Cell] = set()
        """Series with counts that wait."""
        self._holds = True

    def begin_collection(self, now_ns: int, *, with_values: bool = False) -> None:
        """Begin a collection.

        Args:
            now_ns: wall clock in nanoseconds since the epoch.
            with_values: True if no count may wait, because no other collection follows.
        """
        super().begin_collection(now_ns)
        self._holds = bool(self._hold) and not with_values
        self._zeros = []
        self._held = set()

    def end_collection(self, *, delivered: bool) -> None:
        """End a collection, and note the zeros that it delivered."""
        super().end_collection(delivered=delivered)
        if delivered:
            now = self._clock()
            self._zero_since = {cell: self._zero_since.get(cell, now) for cell in self._zeros}

    def delta(self, cell: Cell) -> Reading:
        """Return the change since the last delivered collection, or zero for a young series."""
        numbers = cell.read()
        zeros = (0.0,) * len(numbers)
        previous = self._delivered.get(cell) or Reading(cell.start_ns, zeros)
        if self._holds and self._is_young(cell):
            self._zeros.append(cell)
            if any(numbers):
                self._held.add(cell)
            numbers = zeros
        self._collected[cell] = Reading(max(self._now_ns, cell.start_ns), numbers)
        return Reading(previous.start_ns, tuple(map(sub, numbers, previous.numbers)))

    def seconds_to_hold(self) -> float:
        """Return the seconds until all counts of delivered series may follow; 0 without any."""
        since = [self._zero_since[cell] for cell in self._held if cell in self._zero_since]
        return max(max(since) + self._hold - self._clock(), 0.0) if since else 0.0

    def _is_young(self, cell: Cell) -> bool:
        if cell not in self._delivered:
            return True
        since = self._zero_since.get(cell)
        return since is not None and self._clock() - since < self._hold
