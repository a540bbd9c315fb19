"""Terms that describe the bad and the total events of an SLI.

Every kind of SLI is made of these few terms. Rules, the counter in the process, dashboards,
documents and trace sampling interpret the terms, so a new kind of SLI needs no change there. Each
interpreter ends in ``assert_never``: mypy reports every interpreter that a new term needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from otel_meta.model.selector import Selector

from .comparison import Comparison

EventUnit = Literal["events", "seconds"]

Series = Literal["each", "worst"]
"""Time slices of every series, or of the worst series."""


@dataclass(frozen=True)
class EventCount:
    """Recorded events: increments of a counter, or values of a histogram.

    Args:
        selector: the series that count the events.
        above: of a histogram, count only the values above this bucket bound.
        at_most: of a histogram, count only the values at this bucket bound or below.
    """

    unit: ClassVar[EventUnit] = "events"

    selector: Selector
    above: float | None = None
    at_most: float | None = None

    @property
    def has_bounds(self) -> bool:
        """True if the values of a histogram decide which events are counted."""
        return self.above is not None or self.at_most is not None

    def comparisons(self) -> Iterator[Comparison]:
        """Yield comparisons; all are true of every counted value."""
        if self.above is not None:
            yield Comparison(">", self.above)
        if self.at_most is not None:
            yield Comparison("<=", self.at_most)


@dataclass(frozen=True)
class Remainder:
    """All events except the good events, and never fewer than zero."""

    good: EventCount

    @property
    def selector(self) -> Selector:
        """The series that count the good events."""
        return self.good.selector

    def comparisons(self) -> Iterator[Comparison]:
        """Yield comparisons; at least one is true of every counted value."""
        yield from (comparison.negated() for comparison in self.good.comparisons())


@dataclass(frozen=True)
class TimeSlices:
    """Seconds in which a gauge has a value, or in which a comparison is true of the value.

    Args:
        selector: the gauge's series.
        comparison: count only the seconds in which the comparison is true.
        series: ``each`` counts the seconds of every series; ``worst`` counts a second once per
            service, and the comparison needs to be true of one series only.
    """

    unit: ClassVar[EventUnit] = "seconds"

    selector: Selector
    comparison: Comparison | None = None
    series: Series = "each"

    def comparisons(self) -> Iterator[Comparison]:
        """Yield the comparison, if there is one."""
        if self.comparison is not None:
            yield self.comparison


TotalEvents = EventCount | TimeSlices
BadEvents = EventCount | Remainder | TimeSlices
