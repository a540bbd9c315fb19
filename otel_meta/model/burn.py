"""How fast a budget may burn before somebody is told: rows of data, factors computed.

Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", table 5-8 and the
rules beside it, which add the one-day window (https://sre.google/workbook/alerting-on-slos/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal

from .duration import Duration

Severity = Literal["page", "ticket"]
"""How urgent an alert is: ``page`` wakes somebody now, ``ticket`` waits for working hours.

The seed's "critical" is ``page`` and its "warning" is ``ticket``.
"""


@dataclass(frozen=True)
class BurnWindow:
    """Tell somebody when ``budget_spent`` of the period's budget burned within ``long``.

    ``short`` has to burn as fast, so that the alert ends soon after the burning does.
    """

    severity: Severity
    budget_spent: Fraction
    long: Duration
    short: Duration

    def burn_rate(self, period: Duration) -> Fraction:
        """How many times too fast the budget burns when this fires.

        A burn rate of 1 spends the budget in exactly one period; budget_spent * period / long.
        """
        return self.budget_spent * period.seconds / self.long.seconds

    def limit(self, period: Duration, budget: Fraction) -> Fraction:
        """The share of bad events above which the budget burns this fast."""
        return self.burn_rate(period) * budget


def _rows(*rows: tuple[Severity, Fraction, str, str]) -> tuple[BurnWindow, ...]:
    return tuple(
        BurnWindow(s, spent, Duration(long), Duration(short)) for s, spent, long, short in rows
    )


def _percent(number: str) -> Fraction:
    return Fraction(number) / 100


# Most urgent first. The slowest row of each table burns at 1 or faster: below that an alert would
# fire while the promise is kept (0.933 at 28 days, if the 10 % of the 30-day table were copied).
BURN_WINDOWS: Final[Mapping[Duration, tuple[BurnWindow, ...]]] = MappingProxyType(
    {
        Duration("7d"): _rows(
            ("page", _percent("8"), "1h", "5m"),
            ("page", _percent("12.5"), "6h", "30m"),
            ("ticket", _percent("20"), "1d", "2h"),
            ("ticket", Fraction(3, 7), "3d", "6h"),
        ),
        Duration("28d"): _rows(
            ("page", _percent("2"), "1h", "5m"),
            ("page", _percent("5"), "6h", "30m"),
            ("ticket", _percent("10"), "1d", "2h"),
            ("ticket", Fraction(3, 28), "3d", "6h"),
        ),
        Duration("30d"): _rows(
            ("page", _percent("2"), "1h", "5m"),
            ("page", _percent("5"), "6h", "30m"),
            ("ticket", _percent("10"), "1d", "2h"),
            ("ticket", _percent("10"), "3d", "6h"),
        ),
        # Three times the period: three times the windows, and the same shares of the budget.
        Duration("90d"): _rows(
            ("page", _percent("2"), "3h", "15m"),
            ("page", _percent("5"), "18h", "90m"),
            ("ticket", _percent("10"), "3d", "6h"),
            ("ticket", _percent("10"), "9d", "18h"),
        ),
    }
)


def problems_of(windows: Iterable[BurnWindow], period: Duration, budget: Fraction) -> Iterable[str]:
    """Say what keeps burn windows from working for a period and a budget; nothing if they do."""
    for window in windows:
        rate = window.burn_rate(period)
        where = f"the {window.long}/{window.short} {window.severity} window"
        if not window.short < window.long < period:
            yield f"{where} does not lie in order within the period of {period}"
        if rate < 1:
            yield f"{where} fires at a burn rate of {float(rate):.3g}, while the promise is kept"
        limit = window.limit(period, budget)
        if limit >= 1:
            yield (
                f"{where} can never fire: it asks for {float(limit):.0%} bad events, "
                "more than there are"
            )
