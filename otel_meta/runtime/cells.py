"""One series' number: a sum, a latest value, or counts by bucket. Exact under threads."""

from __future__ import annotations

import time
from bisect import bisect_left
from threading import Lock


class Cell:
    """What every series has: its label values in declared order, and when it began."""

    __slots__ = ("labels", "start_ns")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.start_ns = time.time_ns()


class SumCell(Cell):
    """A sum, of a counter or an up-down counter."""

    __slots__ = ("lock", "value")

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__(labels)
        self.lock = Lock()
        self.value = 0.0

    def add(self, amount: float) -> None:
        """Add to the sum."""
        with self.lock:
            self.value += amount


class LatestCell(Cell):
    """The latest value of a gauge; None until the first. One assignment needs no lock."""

    __slots__ = ("value",)

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__(labels)
        self.value: float | None = None


class BucketCell(Cell):
    """Counts by bucket, the last one unbounded, and the sum of the values."""

    __slots__ = ("bounds", "counts", "lock", "sum")

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        super().__init__(labels)
        self.bounds = bounds
        self.lock = Lock()
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def record(self, value: float) -> None:
        """Count a value in the first bucket whose bound is not below it."""
        bucket = bisect_left(self.bounds, value)
        with self.lock:
            self.counts[bucket] += 1
            self.sum += value

    def snapshot(self) -> tuple[list[int], float]:
        """Counts and sum of one moment."""
        with self.lock:
            return self.counts.copy(), self.sum
