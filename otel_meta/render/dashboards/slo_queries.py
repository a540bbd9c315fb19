"""PromQL queries of the dashboards about SLOs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import equals, lines, number, selector, sum_by

from .scope import Scope

_HOUR: Final = Duration("1h")
NO_DATA: Final = "-1"
"""The value of `SloQueries.state` for an SLO without data."""
DECLARED_LABELS: Final = ("objective", "period", "owner")
"""The labels of a declaration that a table shows."""


class SloQueries:
    """Queries about the SLOs of the services of a scope.

    Every join is on the whole identity of an SLO: in a view over several clusters, each cluster has
    a declaration of its own. Every recorded series is reduced to this identity first: in a view
    over several replicas, each replica has a series of its own, with a label of its own.

    Args:
        scope: the services.
        periods: the periods of all SLOs.
    """

    def __init__(self, scope: Scope, periods: Iterable[Duration]) -> None:
        self.scope: Final = scope
        self._labels: Final = scope.identity.slo
        self._same_slo: Final = f"on ({', '.join(self._labels)})"
        self._periods: Final = tuple(sorted(set(periods)))

    def series(self, name: str) -> str:
        """Return the query of a recorded series: one value for each SLO of a service."""
        return self._each(self._selected(name))

    def _selected(self, name: str, *matchers: str) -> str:
        return selector(name, (*self.scope.slo_matchers, *matchers))

    def _each(self, expr: str, *labels: str) -> str:
        """Reduce values to one for each SLO of a service.

        Args:
            expr: the values.
            labels: more labels to keep.
        """
        return sum_by((*self._labels, *labels), expr, "max")

    def state(self) -> str:
        """Return the query of the SLOs' states: 1 SLO met, 0 SLO not met, -1 no data."""
        return lines(
            self.series(series_names.COMPLIANT),
            f"or {self._same_slo}",
            f"0 * {self.series(series_names.OBJECTIVE)} - 1",
        )

    def declared_state(self) -> str:
        """Return the query of the states, with objective, period and owner as labels."""
        joined = lines(
            "(",
            self.state(),
            ")",
            f"* {self._same_slo} group_left ({', '.join(DECLARED_LABELS)})",
            self._declaration(),
        )
        return self._each(f"\n{joined}\n", *DECLARED_LABELS)

    def _declaration(self) -> str:
        """Return the query of one declaration for each SLO of a service.

        Replicas whose rules are of two versions have two declarations.
        """
        return f"topk by ({', '.join(self._labels)}) (1, {self._selected(series_names.INFO)})"

    def count_in_state(self, state: str) -> str:
        """Return the query of the number of SLOs in a state, which may be 0.

        The query has no data if no SLO is recorded.
        """
        return lines("sum((", self.state(), f") == bool {state})")

    def rank(self) -> str:
        """Return the query by which rows are sorted, worst first.

        Overspent error budgets come first, then SLOs without data, then the others by error budget.
        """
        return lines(
            self.series(series_names.BUDGET_REMAINING),
            f"or {self._same_slo}",
            f"0 * {self.series(series_names.OBJECTIVE)}",
        )

    def burn_rate(self, lookback: Duration) -> str:
        """Return the query of each burn rate over a lookback."""
        ratio = self.series(series_names.error_ratio(lookback))
        allowed = f"(1 - {self.series(series_names.OBJECTIVE)})"
        return lines(ratio, f"/ {self._same_slo}", allowed)

    def hours_left(self) -> str:
        """Return the query of the hours until each error budget is exhausted.

        It assumes the burn rate of the last hour. The result is 0 if the budget is exhausted, and
        infinite if budget is left and the burn rate is at most 1; without data it has no series.
        """
        budget, rate = (
            self.series(series_names.BUDGET_REMAINING),
            self.series(series_names.BURN_RATE_1H),
        )

        def hours(period: Duration) -> str:
            period_hours = number(period.seconds / _HOUR.seconds)
            return f"clamp_min({budget}, 0) * {period_hours} / {self._same_slo} ({rate} > 1)"

        return lines(
            self._by_period(hours),
            f"or {self._same_slo}",
            f"0 * ({budget} <= 0)",
            f"or {self._same_slo}",
            f"0 * ({rate} <= 1) + Inf",
        )

    def coverage(self) -> str:
        """Return the query of the share of each period in which the service had data."""
        return self.series(series_names.COVERAGE)

    def count_firing(self) -> str:
        """Return the query of the number of firing alerts.

        The query gives 0 only while the Watchdog alert fires; otherwise no rules are evaluated, and
        it has no data.
        """
        return lines(f"count({self.firing()})", "or", f"0 * count({_WATCHDOG})")

    def firing(self) -> str:
        """Return the query of the firing alerts."""
        return self._alerts("firing")

    def alert_history(self) -> str:
        """Return the query of each alert's state: 2 firing, 1 pending.

        The Watchdog alert has the state 0: without it, no rules are evaluated.
        """
        firing, pending = map(self._alerts, ("firing", "pending"))
        watchdog = sum_by(("alertname",), _WATCHDOG, "max")
        return lines(f"2 * {firing}", "or", pending, "or", f"0 * {watchdog}")

    def _alerts(self, state: str) -> str:
        """Return the query of alerts in a state: of all SLOs, or of a meta-repository."""
        about_slos = () if self.scope.repo else (f'{series_names.SLO}!=""',)
        alerts = self._selected("ALERTS", equals("alertstate", state), *about_slos)
        return self._each(alerts, "severity", "alertname")

    def _by_period(self, query: Callable[[Duration], str]) -> str:
        """Join the queries of all periods, each restricted to the SLOs with its period."""
        return f"\nor {self._same_slo}\n".join(
            lines(
                query(period),
                f"and {self._same_slo}",
                self._selected(series_names.INFO, equals("period", str(period))),
            )
            for period in self._periods
        )


_WATCHDOG: Final = selector(
    "ALERTS", [equals("alertname", "Watchdog"), equals("alertstate", "firing")]
)
