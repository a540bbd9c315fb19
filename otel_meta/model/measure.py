"""Measures: PromQL expressions as values, for recordings and alerts.

The functions of `otel_meta.measures` make measures, with checked arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .duration import Duration
from .selector import Selector

Aggregation = Literal["sum", "avg", "max", "min"]
OverTimeFunction = Literal["avg", "max", "min"]
By = tuple[str, ...]
"""Labels by which the result is grouped, as in PromQL's ``by``."""


@dataclass(frozen=True)
class _OneSource:
    source: Selector

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the measure."""
        yield self.source


@dataclass(frozen=True)
class Latest(_OneSource):
    """Current value of a gauge in its unit, aggregated over the series of each group."""

    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class OverTime(_OneSource):
    """Average, maximum or minimum of a gauge over time in its unit, aggregated by group."""

    function: OverTimeFunction
    over: Duration
    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class Quantile(_OneSource):
    """Quantile ``q`` of the values of a histogram, interpolated within a bucket."""

    q: Fraction
    over: Duration
    by: By


@dataclass(frozen=True)
class Rate(_OneSource):
    """Increase of a counter per second, averaged over a duration."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Increase(_OneSource):
    """Increase of a counter over a duration."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Share:
    """Share of some events in all events over a duration, between 0 and 1.

    A quotient of two increases gives each event the same weight; a mean of ratios would not.
    """

    part: Selector
    whole: Selector
    over: Duration
    by: By

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the measure."""
        yield self.part
        yield self.whole


@dataclass(frozen=True)
class RelativeChange:
    """Change of a measure, relative to the value one ``over`` ago: 0.2 means 20 % more."""

    of: OverTime | Rate | Increase
    over: Duration

    @property
    def by(self) -> By:
        """Labels by which the measure is grouped."""
        return self.of.by

    def selectors(self) -> Iterator[Selector]:
        """Return the selectors of the measure."""
        return self.of.selectors()


Measure = Latest | OverTime | Quantile | Rate | Increase | Share | RelativeChange
