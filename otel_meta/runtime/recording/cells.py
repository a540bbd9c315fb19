"""The numbers of one series: CounterCell, SumCell, GaugeCell and HistogramCell.

A cell is thread-safe without a lock: each update is atomic (see `atomic`). The numbers live in
memory from an allocator (see `memory`). An update raises nothing of its own. It returns False, and
changes nothing, if the value cannot be recorded or if the series was removed; the recorders then
look the series up again, or report the value.

Each update checks its value inline, because a helper function would add a tenth to the time of a
recording.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, MutableSequence
from types import MappingProxyType
from typing import Final

from .atomic import atomic
from .exemplars import NO_SPANS, Exemplar, SampledSpans
from .memory import heap_copy, heap_zeros
from .native.native_core import cell_method, state
from .validation import MAX_MAGNITUDE, finite_float, non_negative_float

Numbers = MutableSequence[float]

_NO_EXEMPLARS: Final[Mapping[int, Exemplar]] = MappingProxyType({})


@state
class CellState:
    """What an update reads and writes."""

    __slots__ = ("bounds", "numbers", "spans", "writable")


class Cell(CellState):
    """One series: its label values in declared order, its numbers and its start time."""

    __slots__ = ("labels", "rendered", "start_ns")

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...] = ()) -> None:
        self.labels = labels
        self.numbers: Numbers = heap_zeros(self.width(bounds))
        self.spans: SampledSpans = NO_SPANS
        self.rendered: object = None
        """A cache of the exposition: the labels as text, which never change."""
        self.start_ns = time.time_ns()
        self.writable = True
        """False for a series that was removed, or that belongs to the parent of this process."""

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:  # noqa: ARG004 - a histogram's depends on it
        """Return how many numbers a series with these bucket bounds has."""
        return 1

    @cell_method("read")
    def read(self) -> tuple[float, ...]:
        """Return the numbers, all of one moment."""
        return tuple(self.numbers)

    @cell_method("move")
    def move(self, numbers: Numbers) -> None:
        """Continue in other memory, unless the series was removed or is the parent's."""
        if self.writable:
            numbers[:], self.numbers = self.numbers, numbers

    @atomic
    def retire(self) -> None:
        """Refuse updates, and keep the last numbers in the heap for readers."""
        self.writable = False
        self.numbers = heap_copy(self.numbers)


class SumCell(Cell):
    """A sum of positive and negative amounts."""

    __slots__ = ("exemplar",)

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...] = ()) -> None:
        super().__init__(labels, bounds)
        self.exemplar: Exemplar | None = None

    @property
    def value(self) -> float:
        """The sum."""
        return self.numbers[0]

    @cell_method("updowncounter", finite_float)
    def add(self, amount: float) -> bool:
        """Add a finite amount; return False if it is none, or if the series was removed."""
        if not (
            (type(amount) is int or type(amount) is float)
            and -MAX_MAGNITUDE < amount < MAX_MAGNITUDE
        ):
            converted = finite_float(amount)
            if converted is None:
                return False
            amount = converted
        if not self.writable:
            return False
        self.numbers[0] += amount
        return True


class CounterCell(SumCell):
    """A sum that only grows."""

    __slots__ = ()

    @cell_method("counter", non_negative_float)
    def add(self, amount: float) -> bool:
        """Add a finite amount of at least 0; return False like `SumCell.add`."""
        if not ((type(amount) is int or type(amount) is float) and 0 <= amount < MAX_MAGNITUDE):
            converted = non_negative_float(amount)
            if converted is None:
                return False
            amount = converted
        if not self.writable:
            return False
        self.numbers[0] += amount
        if self.spans.live:
            self.offer_exemplar(amount)
        return True

    def offer_exemplar(self, amount: float) -> None:
        """Keep an amount with the current span, if an exemplar is due."""
        if self.spans.is_due(self.exemplar):
            self.exemplar = self.spans.exemplar(amount) or self.exemplar


class GaugeCell(Cell):
    """The latest value of a gauge and the time of this value."""

    __slots__ = ()

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:  # noqa: ARG004 - a gauge has none
        """Return 2: the value and its time."""
        return 2

    @property
    def value(self) -> float | None:
        """The latest value; None before the first."""
        return self.numbers[0] if self.numbers[1] else None

    @property
    def set_at(self) -> float:
        """The time of the latest value, in seconds since the epoch; 0.0 before the first."""
        return self.numbers[1]

    @cell_method("gauge", finite_float)
    def set(self, value: float) -> bool:
        """Replace the value; return False if it is not finite, or if the series was removed."""
        if not (
            (type(value) is float or type(value) is int) and -MAX_MAGNITUDE < value < MAX_MAGNITUDE
        ):
            converted = finite_float(value)
            if converted is None:
                return False
            value = converted
        number, now = float(value), time.time()
        if not self.writable:
            return False
        numbers = self.numbers
        numbers[0], numbers[1] = number, now
        return True


class HistogramCell(Cell):
    """A count for each bucket, of which the last is unbounded, and the sum of the values."""

    __slots__ = ("exemplars",)

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        super().__init__(labels, bounds)
        self.bounds = bounds
        self.exemplars = _NO_EXEMPLARS
        """The exemplars by the index of their bucket."""

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:
        """Return the number of buckets, including the unbounded one, plus one for the sum."""
        return len(bounds) + 2

    @cell_method("histogram", finite_float)
    def record(self, value: float) -> bool:
        """Count a value in the first bucket with a bound at or above the value.

        Return False if the value is not finite, or if the series was removed.
        """
        if not (
            (type(value) is float or type(value) is int) and -MAX_MAGNITUDE < value < MAX_MAGNITUDE
        ):
            converted = finite_float(value)
            if converted is None:
                return False
            value = converted
        bucket = bisect_left(self.bounds, value)
        if not self.writable:
            return False
        numbers = self.numbers
        numbers[bucket], numbers[-1] = numbers[bucket] + 1.0, numbers[-1] + value
        if self.spans.live:
            self.offer_exemplar(bucket, value)
        return True

    def snapshot(self) -> tuple[list[int], float]:
        """Return the count of each bucket and the sum of the values, all of one moment."""
        numbers = self.read()
        return list(map(int, numbers[:-1])), numbers[-1]

    def offer_exemplar(self, bucket: int, value: float) -> None:
        """Keep a value with the current span, if the bucket is due for an exemplar."""
        if self.spans.is_due(self.exemplars.get(bucket)):
            exemplar = self.spans.exemplar(value)
            if exemplar is not None:
                # A new mapping, because a collection may iterate over the old one.
                self.exemplars = {**self.exemplars, bucket: exemplar}
