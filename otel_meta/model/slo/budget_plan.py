"""What a constant outage does: when each burn-rate alert fires, and when the error budget is gone.

Source of the formulas: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs"
(https://sre.google/workbook/alerting-on-slos/). An alert fires after (1 - objective) / share of bad
events * window * burn rate, and has then spent burn rate * window / period of the error budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from .burn import BurnWindow
from .slo import Slo

Obstacle = Literal["too few bad events", "too small a share"]


class PlannedAlert(NamedTuple):
    """The alert of a burn window during an outage."""

    window: BurnWindow
    fires_after: Fraction | None
    """Seconds of the outage until the condition is true; None if it never is."""
    spent: Fraction | None
    """Share of the error budget of a period that the outage has spent by then."""
    obstacle: Obstacle | None = None
    """The reason why the alert never fires."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A constant share of bad events under constant traffic; there were no bad events before."""

    slo: Slo
    bad_share: Fraction
    """Above 0, and at most 1."""
    events_per_second: Fraction | None = None
    """The traffic; without it, every window is taken to have enough bad events."""

    def seconds_for(self, share: Fraction) -> Fraction:
        """Return the seconds in which the outage spends a share of the error budget."""
        return share * self.slo.objective.budget * self.slo.period.seconds / self.bad_share

    def spent(self, seconds: Fraction) -> Fraction:
        """Return the share of the error budget that the outage spends in so many seconds."""
        return seconds / self.seconds_for(Fraction(1))

    def alerts(self) -> tuple[PlannedAlert, ...]:
        """Return the alert of each burn window, in the order of the windows."""
        return tuple(map(self._alert, self.slo.burn_windows))

    def _alert(self, window: BurnWindow) -> PlannedAlert:
        obstacle = self._obstacle(window)
        if obstacle:
            return PlannedAlert(window, None, None, obstacle)
        limit = window.limit(self.slo.period, self.slo.objective.budget)
        seconds = max(limit * window.long.seconds / self.bad_share, self._seconds_for_events())
        return PlannedAlert(window, seconds, self.spent(seconds))

    def _obstacle(self, window: BurnWindow) -> Obstacle | None:
        if self.bad_share <= window.limit(self.slo.period, self.slo.objective.budget):
            return "too small a share"
        is_long_enough = self._seconds_for_events() <= window.long.seconds
        return None if is_long_enough else "too few bad events"

    def _seconds_for_events(self) -> Fraction:
        """Return the seconds until the outage has the least bad events of an alert."""
        if self.events_per_second is None:
            return Fraction(0)
        if not self.events_per_second:
            return Fraction(self.slo.period.seconds if self.slo.min_bad_events else 0)
        return self.slo.min_bad_events / (self.events_per_second * self.bad_share)
