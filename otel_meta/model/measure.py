"""Numbers worth recording or alerting on besides SLOs: quantiles, averages, rates, shares.

Each says which series it reads, over how long, and by which labels the answer is kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .duration import Duration
from .selector import Selector

Aggregation = Literal["sum", "avg", "max", "min"]
Extent = Literal["avg", "max", "min"]
By = tuple[str, ...]


@dataclass(frozen=True)
class _OneSource:
    source: Selector

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.source


@dataclass(frozen=True)
class Latest(_OneSource):
    """A gauge as it is now, in its unit, over the series that ``by`` does not keep apart."""

    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class OverTime(_OneSource):
    """A gauge's average or extreme over a span of time, in its unit; ``merge`` as for `Latest`."""

    function: Extent
    over: Duration
    aggregation: Aggregation
    by: By


@dataclass(frozen=True)
class Quantile(_OneSource):
    """The value below which a share ``q`` of a histogram's values lie, interpolated in a bucket."""

    q: Fraction
    over: Duration
    by: By


@dataclass(frozen=True)
class Rate(_OneSource):
    """A counter's growth a second, averaged over a span of time."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Increase(_OneSource):
    """How much a counter grew over a span of time."""

    over: Duration
    by: By


@dataclass(frozen=True)
class Share:
    """Part of the events among all of them over a span of time, between 0 and 1.

    The quotient of two increases, so that each event weighs the same; never a mean of ratios.
    """

    part: Selector
    whole: Selector
    over: Duration
    by: By

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        yield self.part
        yield self.whole


@dataclass(frozen=True)
class RelativeChange:
    """How much a measure grew against itself one ``over`` ago: 0.2 is 20 % more."""

    of: OverTime | Rate | Increase
    over: Duration

    @property
    def by(self) -> By:
        """The labels by which the measure is kept apart."""
        return self.of.by

    def selectors(self) -> Iterator[Selector]:
        """Every part of a metric that this looks at."""
        return self.of.selectors()


Measure = Latest | OverTime | Quantile | Rate | Increase | Share | RelativeChange
