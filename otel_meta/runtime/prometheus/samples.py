"""What a series shows at one moment, and how two that cannot be told apart become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import add
from typing import Any

from otel_meta.runtime.recording.exemplars import Exemplar

from .attributes import Labels


@dataclass(frozen=True, slots=True)
class Number:
    """The value of a counter or a gauge."""

    value: float
    adds_up: bool
    """Of two with the same labels, the sum is shown; otherwise the later."""
    exemplar: Exemplar | None = None

    def joined(self, later: Number) -> Number:
        """What both are together."""
        if not later.adds_up:
            return later
        return replace(later, value=self.value + later.value)


@dataclass(frozen=True, slots=True)
class Buckets:
    """The values of a histogram: how many in each bucket, the last one unbounded, and their sum."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float
    exemplars: Mapping[int, Exemplar] = field(default_factory=dict[int, Exemplar])

    def joined(self, later: Buckets) -> Buckets:
        """What both are together.

        Raises:
            ValueError: their buckets differ.
        """
        if self.bounds != later.bounds:
            raise ValueError("two series with the same labels have different buckets")
        return Buckets(
            self.bounds,
            tuple(map(add, self.counts, later.counts)),
            self.sum + later.sum,
            {**self.exemplars, **later.exemplars},
        )


Point = Number | Buckets


def put(series: dict[Labels, Any], labels: Labels, point: Point) -> None:
    """Add a point to the others of its family.

    Raises:
        ValueError: one with these labels is there, and has other buckets.
    """
    there = series.get(labels)
    series[labels] = point if there is None else there.joined(point)
