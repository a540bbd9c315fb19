"""Status of an SLO: ok (met), breached (not met), or no_data, which is never ok."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from otel_meta.model import Budget, Slo

from .counting import Events

State = Literal["ok", "breached", "no_data"]


@dataclass(frozen=True)
class Status:
    """Status of an SLO in this process.

    Counts are events, or seconds for time slices, within the covered part of the period.
    """

    slo: Slo
    repo: str
    events: Events
    burn_rates: Mapping[str, Fraction | None]
    """By lookback, such as 1h. 1 spends the error budget in one period; None means no events."""
    covered: float
    """Seconds of the period since tracking began; less than the period after a restart."""

    @property
    def budget(self) -> Budget:
        """The error budget, as exact fractions."""
        return Budget(self.slo.objective, Fraction(self.events.bad), Fraction(self.events.total))

    @property
    def state(self) -> State:
        """The state of the error budget: breached if overspent, no_data without any events."""
        left = self.budget.left
        if left is None:
            return "no_data"
        return "ok" if left >= 0 else "breached"

    @property
    def sli(self) -> float | None:
        """The share of good events; None without events."""
        bad, total = self.events
        return 1 - bad / total if total > 0 else None

    def __repr__(self) -> str:
        left = self.budget.left
        return (
            f"<Status of {self.slo.name!r}: {self.state}, "
            f"budget left {'unknown' if left is None else format(float(left), '.1%')}, "
            f"{self.events.bad:g} of {self.events.total:g} bad in {self.covered:.0f} s>"
        )

    def as_json(self) -> dict[str, object]:
        """Return plain values for `/slo`; null without data."""
        bad, total = self.events
        return {
            "name": self.slo.name,
            "repo": self.repo,
            "state": self.state,
            "objective": str(self.slo.objective),
            "period": str(self.slo.period),
            "sli": self.sli,
            "unit": self.slo.sli.unit,
            "good": total - bad,
            "bad": bad,
            "total": total,
            "budget_left": _number(self.budget.left),
            "burn_rates": {span: _number(rate) for span, rate in self.burn_rates.items()},
            "covered_seconds": round(self.covered, 1),
        }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
