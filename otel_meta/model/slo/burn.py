"""Burn windows: conditions for alerts on the burn rate of an error budget.

Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", table 5-8, and
the rules below the table, which add the one-day window
(https://sre.google/workbook/alerting-on-slos/). Factors are computed from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, get_args

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import expect_choice, expect_type
from otel_meta.model.declared_call import declaring_class
from otel_meta.model.duration import Duration

BURN_RATE_SPAN: Final = Duration("1h")
"""The span of the burn rate by which the end of an error budget is projected."""

Severity = Literal["page", "ticket"]
"""Urgency of an alert: ``page`` needs a person now, ``ticket`` waits for working hours."""

_SEVERITIES_ELSEWHERE: Final[Mapping[str, Severity]] = MappingProxyType(
    {"critical": "page", "warning": "ticket"}
)


def expect_severity(where: str, severity: object) -> None:
    """Refuse a word that is no severity.

    Raises:
        DeclarationError: the word is no severity; the error has the severity of the same meaning.
    """
    expect_choice(where, "severity", severity, get_args(Severity), _SEVERITIES_ELSEWHERE)


@declaring_class
@dataclass(frozen=True)
class BurnWindow:
    """Condition of an alert: ``budget_spent`` of the error budget burned within ``long``.

    Raises:
        DeclarationError: the severity is unknown, the share is not between 0 and 1, or a window is
            no `Duration`.
    """

    severity: Severity
    budget_spent: Fraction
    """Share of the error budget of a whole period."""
    long: Duration
    short: Duration
    """Second window with the same burn rate: the alert resolves soon after the errors stop."""

    def __post_init__(self) -> None:
        where = f"burn window of {self.long}"
        expect_severity(where, self.severity)
        for window in (self.long, self.short):
            expect_type(where, "window", window, Duration, 'write it as Duration("1h")')
        fix = 'write 2 % as Fraction("0.02")'
        expect_type(where, "budget_spent", self.budget_spent, Fraction, fix)
        if not 0 < self.budget_spent <= 1:
            raise DeclarationError(where, f"spends {self.budget_spent} of the budget", fix)

    def burn_rate(self, period: Duration) -> Fraction:
        """Return the burn rate above which the alert fires: budget_spent * period / long.

        A burn rate of 1 spends the error budget in exactly one period.
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


# Most urgent row first. The slowest row of each table has a burn rate of at least 1: below 1 an
# alert would fire while the SLO is met (0.933 at 28 days, if the 10 % of 30 days were copied).
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
    """Describe each fault of burn windows for a period and an error budget (share of events)."""
    for window in windows:
        rate = window.burn_rate(period)
        where = f"the {window.long}/{window.short} {window.severity} window"
        if not window.short < window.long < period:
            yield f"{where} must be longer than its second window and shorter than {period}"
        if rate < 1:
            yield f"{where} fires at a burn rate of {float(rate):.3g}, while the SLO is met"
        limit = window.limit(period, budget)
        if limit >= 1:
            yield f"{where} can never fire: it needs {float(limit):.0%} of events to be bad"
