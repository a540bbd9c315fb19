"""Metric points: the value of a series at one moment, and the merge of points of equal labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import add
from typing import Any

from otel_meta.runtime.recording.exemplars import Exemplar

from .attributes import Labels


@dataclass(frozen=True, slots=True)
class NumberPoint:
    """The value of a counter or a gauge."""

    value: float
    additive: bool
    """True if points with the same labels add up; otherwise the later replaces the earlier."""
    exemplar: Exemplar | None = None
    start_ns: int = 0
    """The start of a counter in nanoseconds since the epoch; 0 if it is unknown."""

    def merge(self, later: NumberPoint) -> NumberPoint:
        """Return the sum of both points, or the later point if points are not additive."""
        if not later.additive:
            return later
        start_ns = min(self.start_ns, later.start_ns)
        return replace(later, value=self.value + later.value, start_ns=start_ns)


@dataclass(frozen=True, slots=True)
class HistogramPoint:
    """The buckets and the sum of a histogram.

    Args:
        bounds: the upper bounds of the buckets, without the last, unbounded bucket.
        counts: values in each bucket, not cumulative; one more than there are bounds.
        sum: the sum of the values.
        exemplars: exemplars by the index of their bucket.
        start_ns: the start of the series in nanoseconds since the epoch; 0 if it is unknown.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float
    exemplars: Mapping[int, Exemplar] = field(default_factory=dict[int, Exemplar])
    start_ns: int = 0

    def merge(self, later: HistogramPoint) -> HistogramPoint:
        """Add the counts and the sums of both points.

        Raises:
            ValueError: the bounds differ.
        """
        if self.bounds != later.bounds:
            raise ValueError("two series with the same labels have different buckets")
        return HistogramPoint(
            self.bounds,
            tuple(map(add, self.counts, later.counts)),
            self.sum + later.sum,
            {**self.exemplars, **later.exemplars},
            min(self.start_ns, later.start_ns),
        )


Point = NumberPoint | HistogramPoint


def add_point(series: dict[Labels, Any], labels: Labels, point: Point) -> None:
    """Add a point to the series of a family, merged with a point of the same labels.

    Raises:
        ValueError: the series of these labels has other buckets.
    """
    earlier = series.get(labels)
    series[labels] = point if earlier is None else earlier.merge(point)
