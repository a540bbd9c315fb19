"""One series' numbers: a sum, a latest value, or counts by bucket. Exact under threads.

The numbers live in a slot (see `slots`), and change in one step (see `exact`). A cell whose series
was removed keeps its last ones in a tuple: whoever reads reads on, and whoever writes gets the
TypeError that sends a recorder to look for the series anew. What cannot be recorded raises, too;
recorders catch it.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, MutableSequence
from types import MappingProxyType
from typing import Any, Final

from .atomic import exact
from .exemplars import NO_SPANS, Exemplar, SampledSpans
from .memory import zeros
from .validation import MAX_MAGNITUDE, finite, not_negative

Numbers = MutableSequence[float]

_NO_EXEMPLARS: Final[Mapping[int, Exemplar]] = MappingProxyType({})


class Cell:
    """What every series has: its label values in declared order, its numbers, when it began."""

    __slots__ = ("labels", "numbers", "rendered", "spans", "start_ns")

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...] = ()) -> None:
        self.labels = labels
        self.numbers: Numbers = zeros(self.width(bounds))
        self.spans: SampledSpans = NO_SPANS
        self.rendered: object = None
        """For whoever exposes the series, to keep what is the same in every exposition."""
        self.start_ns = time.time_ns()

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:  # noqa: ARG004 - a histogram's depends on it
        """Return how many numbers a series with these bucket bounds needs."""
        return 1

    @exact
    def read(self) -> tuple[float, ...]:
        """The numbers of one moment."""
        return tuple(self.numbers)

    @exact
    def retire(self) -> None:
        """Keep the last numbers, and refuse further ones."""
        last: Any = (*self.numbers,)
        self.numbers = last


class SumCell(Cell):
    """A sum that goes up and down."""

    __slots__ = ("exemplar",)

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...] = ()) -> None:
        super().__init__(labels, bounds)
        self.exemplar: Exemplar | None = None

    @property
    def value(self) -> float:
        """The sum."""
        return self.numbers[0]

    @exact
    def add(self, amount: float) -> None:
        """Add what is finite.

        Raises:
            TypeError: it is no number, or the series was removed.
            ValueError: it is not finite.
        """
        if not (
            (type(amount) is int or type(amount) is float)
            and -MAX_MAGNITUDE < amount < MAX_MAGNITUDE
        ):
            amount = finite(amount)
        self.numbers[0] += amount


class CounterCell(SumCell):
    """A sum that goes up only."""

    __slots__ = ()

    @exact
    def add(self, amount: float) -> None:
        """Add what is finite and not negative.

        Raises:
            TypeError: it is no number, or the series was removed.
            ValueError: it is negative or not finite.
        """
        if not ((type(amount) is int or type(amount) is float) and 0 <= amount < MAX_MAGNITUDE):
            amount = not_negative(amount)
        self.numbers[0] += amount
        if self.spans.live:
            self._show(amount)

    def _show(self, amount: float) -> None:
        if self.spans.wants(self.exemplar):
            self.exemplar = self.spans.exemplar(amount) or self.exemplar


class GaugeCell(Cell):
    """The latest value of a gauge, and when it was set."""

    __slots__ = ()

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:  # noqa: ARG004 - a gauge has none
        """Return 2: the value, and the time at which it was set."""
        return 2

    @property
    def value(self) -> float | None:
        """The latest value; None until the first."""
        return self.numbers[0] if self.numbers[1] else None

    @property
    def set_at(self) -> float:
        """When it was set, in seconds since the epoch; 0.0 where it never was."""
        return self.numbers[1]

    @exact
    def set(self, value: float) -> None:
        """Replace the value with what is finite.

        Raises:
            TypeError: it is no number, or the series was removed.
            ValueError: it is not finite.
        """
        if not (
            (type(value) is float or type(value) is int) and -MAX_MAGNITUDE < value < MAX_MAGNITUDE
        ):
            value = finite(value)
        now = time.time()
        numbers = self.numbers
        numbers[0] = value
        numbers[1] = now


class HistogramCell(Cell):
    """Counts by bucket, the last one unbounded, and the sum of the values."""

    __slots__ = ("bounds", "exemplars")

    def __init__(self, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        super().__init__(labels, bounds)
        self.bounds = bounds
        self.exemplars = _NO_EXEMPLARS
        """By the index of their bucket."""

    @staticmethod
    def width(bounds: tuple[float, ...]) -> int:
        """Return the number of buckets, with the unbounded one, and one more for the sum."""
        return len(bounds) + 2

    @exact
    def record(self, value: float) -> None:
        """Count what is finite in the first bucket whose bound is not below it.

        Raises:
            TypeError: it is no number, or the series was removed.
            ValueError: it is not finite.
        """
        if not (
            (type(value) is float or type(value) is int) and -MAX_MAGNITUDE < value < MAX_MAGNITUDE
        ):
            value = finite(value)
        bucket = bisect_left(self.bounds, value)
        numbers = self.numbers
        numbers[bucket] += 1
        numbers[-1] += value
        if self.spans.live:
            self._show(bucket, value)

    def snapshot(self) -> tuple[list[int], float]:
        """Counts and sum of one moment."""
        *counts, total = self.read()
        return [int(count) for count in counts], total

    def _show(self, bucket: int, value: float) -> None:
        if self.spans.wants(self.exemplars.get(bucket)):
            exemplar = self.spans.exemplar(value)
            if exemplar is not None:
                # A new mapping: whoever iterates over the old one goes on undisturbed.
                self.exemplars = {**self.exemplars, bucket: exemplar}
