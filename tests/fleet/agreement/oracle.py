"""The truth about a trace, counted by hand, and how far from it an answer may be.

The bounds are those that docs/fleet.md states. A span of the tracker begins at a step of its
history. The rules know what was scraped and evaluated, lose what no scrape saw, and extrapolate
where they are not anchored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, inf
from typing import NamedTuple

import numpy as np

from otel_meta.model import BurnWindow
from otel_meta.status.status import State
from tests.fleet.agreement.rules import SCRAPE, scrape_times
from tests.fleet.agreement.trace import HOUR, SECONDS, SLO, Counts, Trace

LAG = SCRAPE + 60
"""Seconds from an event to the evaluation that counts it, at most."""
RECOUNT = 6 * HOUR
BUDGET = float(SLO.objective.budget)


class Range(NamedTuple):
    """The least and the largest value that agree with the truth."""

    low: float
    high: float


@dataclass(frozen=True)
class Bounds:
    """How far from the truth a count may be."""

    lag: int = 0
    """Seconds from an event to its count."""
    is_scraped: bool = False
    """Whether events are known by scrapes alone."""
    extrapolated: int = 0
    """Seconds of events that are added to, or taken from, each six hours."""
    damped: float = 0.0
    """Share of the events that are counted later, six hours after a gap and as long as the gap."""
    steps: tuple[tuple[float, int], ...] = ()
    """Seconds by which a span may begin early, each with the longest span of which it is true."""

    def early(self, span: int) -> int:
        """Return the seconds by which a span may begin early."""
        return next((early for longest, early in self.steps if span <= longest), 0)


TRACKER = Bounds(steps=((1.2 * HOUR, 10), (7 * HOUR, 120), (inf, 600)))
ANCHORED_RULES = Bounds(lag=LAG, is_scraped=True, damped=0.05)
RULES = replace(ANCHORED_RULES, extrapolated=2 * SCRAPE)


@dataclass(frozen=True)
class Oracle:
    """The truth about a trace at its end, and how far from it an answer may be."""

    trace: Trace
    bounds: Bounds

    def counts(self, name: str, span: int) -> Range:
        """Return what a count of bad or total events over a span may be."""
        events: Counts = getattr(self.trace, name)
        begin = max(SECONDS - span, 0)
        if not self.bounds.is_scraped:
            early = max(begin - self.bounds.early(span), 0)
            return Range(*(float(events[SECONDS] - events[at]) for at in (begin, early)))
        known = max(self._scrape_before(begin - self.bounds.lag), 0)
        first = self._scrape_after(begin)
        last = max(self._scrape_before(SECONDS - self.bounds.lag), first)
        around = self._extrapolated(events, known, span) + self._damped(events, known)
        low = events[last] - events[first] - self._lost(events, first) - around
        return Range(max(float(low), 0.0), float(events[SECONDS] - events[known] + around))

    def _extrapolated(self, events: Counts, since: int, span: int) -> float:
        """Return the events by which extrapolation changes the counts of a span."""
        peak = int(np.max(np.diff(events[max(since - RECOUNT, 0) :]), initial=0))
        return peak * self.bounds.extrapolated * ceil(span / RECOUNT)

    def _damped(self, events: Counts, since: int) -> float:
        """Return the events that are counted late because of gaps."""
        length = sum(stop - start for start, stop in self.trace.gaps)
        earlier = max(since - length - HOUR, 0)
        return self.bounds.damped * bool(length) * float(events[SECONDS] - events[earlier])

    def burn_rate(self, span: int) -> Range:
        """Return what the burn rate over a span may be."""
        bad, total = self.counts("bad", span), self.counts("total", span)
        low = bad.low / total.high if total.high else 0.0
        high = bad.high / total.low if total.low else (inf if bad.high else 0.0)
        return Range(low / BUDGET, high / BUDGET)

    def left(self) -> Range:
        """Return what the share of the budget that is left may be."""
        spent = self.burn_rate(SLO.period.seconds)
        return Range(1 - spent.high, 1 - spent.low)

    def states(self) -> set[State]:
        """Return the states that the SLO may have."""
        total, left = self.counts("total", SLO.period.seconds), self.left()
        found: set[State] = set()
        if total.low <= 0:
            found.add("no_data")
        if total.high <= 0:
            return found
        if left.low < 0:
            found.add("breached")
        if left.high >= 0:
            found |= self._states_within_budget()
        return found

    def _states_within_budget(self) -> set[State]:
        certainties = [self._burns(window) for window in SLO.burn_windows]
        if any(is_certain for is_certain, _ in certainties):
            return {"at_risk"}
        return {"at_risk", "ok"} if any(is_possible for _, is_possible in certainties) else {"ok"}

    def _burns(self, window: BurnWindow) -> tuple[bool, bool]:
        """Return whether a burn window burns for certain, and whether it possibly does."""
        limit = float(window.burn_rate(SLO.period))
        bad = self.counts("bad", window.long.seconds)
        rates = [self.burn_rate(span.seconds) for span in (window.long, window.short)]
        is_certain = all(rate.low > limit for rate in rates) and bad.low > SLO.min_bad_events
        is_possible = (
            all(rate.high > limit for rate in rates) and bad.high >= SLO.min_bad_events - 1
        )
        return is_certain, is_possible

    def _lost(self, events: Counts, since: int) -> int:
        """Return the events that no scrape saw: those before the first, and before restarts."""
        lost = int(events[self._scrape_after(0)]) if since <= self._scrape_after(0) else 0
        starts = [0, *self.trace.restarts]
        for start, restart in pairwise(starts):
            if restart > since:
                last = max(self._scrape_before(restart - 1), start, since)
                lost += int(events[restart] - events[last])
        return lost

    def _scrape_before(self, second: int) -> int:
        times = scrape_times(self.trace)
        position = int(np.searchsorted(times, second, side="right"))
        return int(times[position - 1]) if position else 0

    def _scrape_after(self, second: int) -> int:
        times = scrape_times(self.trace)
        position = int(np.searchsorted(times, second, side="left"))
        return int(times[position]) if position < len(times) else SECONDS
