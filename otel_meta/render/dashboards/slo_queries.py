"""PromQL queries of the dashboards about SLOs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.promql_builder import equals, lines, number, selector

_HOUR: Final = Duration("1h")
_PER_SLO: Final = f"on ({series_names.SLO}, {series_names.NAMESPACE})"
NO_DATA: Final = "-1"
"""The value of `SloQueries.state` for an SLO without data."""

Matchers = tuple[str, ...]


class SloQueries:
    """Queries about the SLOs that matchers select.

    Args:
        matchers: matchers for series of an SLO in a service.
        declaration_matchers: matchers for series of a declaration, which have no service label.
        periods: the periods of all SLOs.
    """

    def __init__(
        self, matchers: Matchers, declaration_matchers: Matchers, periods: Iterable[Duration]
    ) -> None:
        self._matchers: Final = matchers
        self._declaration_matchers: Final = declaration_matchers
        self._periods: Final = tuple(sorted(set(periods)))

    def series(self, name: str, *matchers: str) -> str:
        """Return a selector of a series that each service has for each SLO."""
        return selector(name, (*self._matchers, *matchers))

    def declaration(self, name: str, *matchers: str) -> str:
        """Return a selector of a series that exists once for each SLO, for all services."""
        return selector(name, (*self._declaration_matchers, *matchers))

    def state(self) -> str:
        """Return the query of the SLOs' states: 1 SLO met, 0 SLO not met, -1 no data.

        An SLO has no data if no events were counted in its period, or if no service reports.
        """
        return lines(
            self.series(series_names.COMPLIANT),
            "or",
            f"0 * last_over_time({self.series(series_names.TOTAL)}[1d]) - 1",
            f"or {_PER_SLO}",
            f"0 * {self.series(series_names.OBJECTIVE)} - 1",
        )

    def declared_state(self) -> str:
        """Return the query of the states, with objective, period and owner as labels."""
        return lines(
            "(",
            self.state(),
            ")",
            f"* {_PER_SLO} group_left (objective, period, owner)",
            self.declaration(series_names.INFO),
        )

    def count_in_state(self, state: str) -> str:
        """Return the query of the number of SLOs in a state, which may be 0.

        The query has no data if no SLO is declared.
        """
        return lines("sum((", self.state(), f") == bool {state})")

    def burn_rate(self, lookback: Duration) -> str:
        """Return the query of each burn rate over a lookback."""
        ratio = self.series(series_names.error_ratio(lookback))
        objective = self.declaration(series_names.OBJECTIVE)
        return lines(ratio, f"/ {_PER_SLO} group_left ()", f"(1 - {objective})")

    def hours_left(self) -> str:
        """Return the query of the hours until each error budget is exhausted.

        It assumes the burn rate of the last hour. The result is 0 if the budget is exhausted, and
        has no series for an SLO with budget left and a burn rate of at most 1.
        """
        budget, rate = (
            self.series(series_names.BUDGET_REMAINING),
            self.series(series_names.BURN_RATE_1H),
        )

        def hours(period: Duration) -> str:
            period_hours = number(period.seconds / _HOUR.seconds)
            return f"clamp_min({budget}, 0) * {period_hours} / ({rate} > 1)"

        return lines(self._by_period(hours), "or", f"0 * ({budget} <= 0)")

    def coverage(self) -> str:
        """Return the query of the share of each period that has data; a count of 0 is data."""
        total = self.series(series_names.TOTAL)

        def share(period: Duration) -> str:
            steps = period.seconds // INCREASE_WINDOW.seconds
            return f"clamp_max(count_over_time({total}[{period}:{INCREASE_WINDOW}]) / {steps}, 1)"

        return self._by_period(share)

    def alerts(self, state: str) -> str:
        """Return a selector of the SLOs' alerts in a state, "pending" or "firing"."""
        return self.series("ALERTS", equals("alertstate", state), f'{series_names.SLO}!=""')

    def count_firing(self) -> str:
        """Return the query of the number of firing alerts.

        The query gives 0 only while the Watchdog alert fires; otherwise no rules are evaluated, and
        it has no data.
        """
        watchdog = selector("ALERTS", [equals("alertname", "Watchdog")])
        return lines(f"count({self.alerts('firing')})", "or", f"0 * count({watchdog})")

    def alert_history(self) -> str:
        """Return the query of each alert's state: 2 firing, 1 pending."""
        aggregation = "max by (alertname, severity, slo, service_name)"
        firing, pending = (
            f"{aggregation} ({self.alerts(state)})" for state in ("firing", "pending")
        )
        return lines(f"2 * {firing}", "or", pending)

    def _by_period(self, query: Callable[[Duration], str]) -> str:
        """Join the queries of all periods, each restricted to the SLOs with its period."""
        return "\nor\n".join(
            lines(
                query(period),
                f"and {_PER_SLO}",
                self.declaration(series_names.INFO, equals("period", str(period))),
            )
            for period in self._periods
        )
