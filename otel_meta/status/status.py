"""Status of an SLO: ok, at_risk, breached, or no_data, which is never ok."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from otel_meta.model import Budget, BurnWindow, Duration, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.model.slo.objective import LEAST_COVERAGE

from .events import NO_EVENTS, Events

State = Literal["ok", "at_risk", "breached", "no_data"]
_ROUNDING: Final = 0.5
"""Half an event, by which a count from extrapolated rules may be too small, as in the alerts."""


class Burn(NamedTuple):
    """How fast the error budget burns over one lookback."""

    rate: float | None
    """Burn rate: 1 spends the error budget in exactly one period; None without events."""
    bad: float | None
    """Bad events (seconds, for time slices) in the lookback; None if they are not known."""


class BurnDownPoint(NamedTuple):
    """The error budget at a moment of the period, which begins with a whole budget."""

    seconds_ago: float
    left: float
    """Share of the budget of the whole period that the bad events until then left."""


class FiringAlert(NamedTuple):
    """An alert about the SLO that fires now."""

    name: str
    severity: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """Status of an SLO of a service.

    Counts are events, or seconds for time slices, within the covered part of the period.
    """

    slo: Slo
    repo: str
    """Name of the meta-repository."""
    owner: str = ""
    service: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels of identity: service_namespace, service_name, environment and cluster."""
    events: Events
    """Without the events that corrections exclude."""
    excluded: Events = NO_EVENTS
    """The events in the period that corrections exclude."""
    burns: Mapping[Duration, Burn]
    """By lookback: every span of a burn window, and `BURN_RATE_SPAN`."""
    covered: float
    """Seconds of the period in which the service had data."""
    required_coverage: float = LEAST_COVERAGE
    """The share of the period that has to be covered before the SLO counts as breached."""
    burn_down: tuple[BurnDownPoint, ...] = ()
    """The error budget over the period, oldest first."""
    firing: tuple[FiringAlert, ...] = ()
    """The alerts that fire, where a server of alerts was asked."""

    @property
    def budget(self) -> Budget:
        """The error budget, as exact fractions."""
        return Budget(self.slo.objective, Fraction(self.events.bad), Fraction(self.events.total))

    @property
    def state(self) -> State:
        """The state of the SLO.

        Without events it is ``no_data``. It is ``breached`` if the error budget is overspent and
        enough of the period is covered. It is ``at_risk`` if the budget burns faster than one of
        the burn-rate alerts allows, or is overspent in a shorter time than the required coverage.
        """
        left = self.budget.left
        if left is None:
            return "no_data"
        if left < 0 and self.coverage >= self.required_coverage:
            return "breached"
        return "at_risk" if left < 0 or self.burning else "ok"

    @property
    def sli(self) -> float | None:
        """The share of good events; None without events."""
        bad, total = self.events
        return 1 - bad / total if total > 0 else None

    @property
    def coverage(self) -> float:
        """Share of the period in which the service had data."""
        return min(self.covered / self.slo.period.seconds, 1.0)

    @property
    def burning(self) -> tuple[BurnWindow, ...]:
        """The burn windows whose condition is true, most urgent first, as in the alerts."""
        return tuple(window for window in self.slo.burn_windows if self._burns(window))

    @property
    def exhausted_in(self) -> float | None:
        """Seconds until the error budget is gone at the burn rate of the last hour.

        None if the budget lasts for another period, or is gone already.
        """
        left, rate = self.budget.left, self.burn_rate(BURN_RATE_SPAN)
        if left is None or left <= 0 or not rate:
            return None
        seconds = float(left) * self.slo.period.seconds / rate
        return seconds if seconds < self.slo.period.seconds else None

    @property
    def burn_rates(self) -> dict[str, float | None]:
        """Burn rates by lookback, such as 1h, shortest first; None without events."""
        return {str(span): burn.rate for span, burn in sorted(self.burns.items())}

    def burn_rate(self, lookback: Duration) -> float | None:
        """Return the burn rate over a lookback; None without events."""
        burn = self.burns.get(lookback)
        return None if burn is None else burn.rate

    def __repr__(self) -> str:
        left = self.budget.left
        return (
            f"<Status of {self.slo.name!r}: {self.state}, "
            f"budget left {'unknown' if left is None else format(float(left), '.1%')}, "
            f"{self.events.bad:g} of {self.events.total:g} bad in {self.covered:.0f} s>"
        )

    def _burns(self, window: BurnWindow) -> bool:
        limit = window.burn_rate(self.slo.period)
        rates = (self.burn_rate(window.long), self.burn_rate(window.short))
        bad = self.burns[window.long].bad if window.long in self.burns else None
        fast = all(rate is not None and rate > limit for rate in rates)
        return fast and (bad is None or bad > self.slo.min_bad_events - _ROUNDING)
