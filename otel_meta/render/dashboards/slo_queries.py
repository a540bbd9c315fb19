"""What the SLO pages ask, of whatever SLOs are chosen at their top."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.promql_builder import equals, lines, number, selector

_HOUR: Final = Duration("1h")
_PER_SLO: Final = f"on ({series.SLO}, {series.NAMESPACE})"
NO_DATA: Final = "-1"

Matchers = tuple[str, ...]


class Questions:
    """Queries about the SLOs that these matchers choose.

    Args:
        chosen: matchers of a service's SLOs.
        declared: those among them that a declaration answers, which no service bears.
        periods: every period that an SLO has.
    """

    def __init__(self, chosen: Matchers, declared: Matchers, periods: Iterable[Duration]) -> None:
        self._chosen: Final = chosen
        self._declared: Final = declared
        self._periods: Final = tuple(sorted(set(periods)))

    def of(self, name: str, *more: str) -> str:
        """A series of the SLOs."""
        return selector(name, (*self._chosen, *more))

    def declaration(self, name: str, *more: str) -> str:
        """A series that each SLO has once, whatever services keep it."""
        return selector(name, (*self._declared, *more))

    def state(self) -> str:
        """1 kept, 0 broken, -1 no data: no events in the period, or nobody who reports any."""
        return lines(
            self.of(series.COMPLIANT),
            "or",
            f"0 * last_over_time({self.of(series.TOTAL)}[1d]) - 1",
            f"or {_PER_SLO}",
            f"0 * {self.of(series.OBJECTIVE)} - 1",
        )

    def described_state(self) -> str:
        """The state, with what was declared as labels."""
        return lines(
            "(",
            self.state(),
            ")",
            f"* {_PER_SLO} group_left (objective, period, owner)",
            self.declaration(series.INFO),
        )

    def in_state(self, state: str) -> str:
        """How many are in a state; 0 where there are none, absent where none is declared."""
        return lines("sum((", self.state(), f") == bool {state})")

    def burn(self, span: Duration) -> str:
        """How many times too fast the budget burned over a span."""
        ratio, objective = self.of(series.error_ratio(span)), self.declaration(series.OBJECTIVE)
        return lines(ratio, f"/ {_PER_SLO} group_left ()", f"(1 - {objective})")

    def hours_left(self) -> str:
        """Hours until the budget is gone if it goes on burning as in the last hour.

        0 once it is gone; absent while it burns no faster than it is given.
        """
        budget, rate = self.of(series.BUDGET_REMAINING), self.of(series.BURN_RATE_1H)

        def hours(period: Duration) -> str:
            given = number(period.seconds / _HOUR.seconds)
            return f"clamp_min({budget}, 0) * {given} / ({rate} > 1)"

        return lines(self._by_period(hours), "or", f"0 * ({budget} <= 0)")

    def coverage(self) -> str:
        """Share of the period in which the SLO's events were counted, be it zero of them."""
        total = self.of(series.TOTAL)

        def share(period: Duration) -> str:
            steps = period.seconds // INCREASE_WINDOW.seconds
            return f"clamp_max(count_over_time({total}[{period}:{INCREASE_WINDOW}]) / {steps}, 1)"

        return self._by_period(share)

    def alerts(self, state: str) -> str:
        """Alerts about the SLOs."""
        return self.of("ALERTS", equals("alertstate", state), f'{series.SLO}!=""')

    def firing(self) -> str:
        """How many alerts fire; 0 only where the rules are evaluated, which the watchdog tells."""
        watchdog = selector("ALERTS", [equals("alertname", "Watchdog")])
        return lines(f"count({self.alerts('firing')})", "or", f"0 * count({watchdog})")

    def alert_history(self) -> str:
        """2 while an alert fires, 1 while it is pending."""
        kept = "max by (alertname, severity, slo, service_name)"
        firing, pending = (f"{kept} ({self.alerts(state)})" for state in ("firing", "pending"))
        return lines(f"2 * {firing}", "or", pending)

    def _by_period(self, query: Callable[[Duration], str]) -> str:
        """A query with each period's numbers, kept to the SLOs that have this period."""
        return "\nor\n".join(
            lines(
                query(period),
                f"and {_PER_SLO}",
                self.declaration(series.INFO, equals("period", str(period))),
            )
            for period in self._periods
        )
