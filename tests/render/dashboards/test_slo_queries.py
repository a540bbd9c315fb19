"""Runs the queries of the SLO dashboard with promtool, on series written by hand."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from otel_meta.model import Duration
from otel_meta.model.identity import Identity
from otel_meta.render.dashboards.scope import Scope
from otel_meta.render.dashboards.slo_queries import SloQueries
from tests.rules.pinned_tools import tool

SERVED = '{slo="one", service_namespace="acme", service_name="shop"}'
EAST, WEST = (f'{SERVED[:-1]}, cluster="{name}"}}' for name in ("east", "west"))
INFO = 'period="30d", objective="99%", owner="us"}'
OBJECTIVE = {f"slo:objective:ratio{SERVED}": "0.99x10", f"slo_info{SERVED[:-1]}, {INFO}": "1x10"}
CLUSTERS = {
    name: value
    for place in (EAST, WEST)
    for name, value in (
        (f"slo:objective:ratio{place}", "0.99x10"),
        (f"slo_info{place[:-1]}, {INFO}", "1x10"),
    )
}
WATCHDOG = {'ALERTS{alertname="Watchdog", alertstate="firing"}': "1x10"}
PERIODS = (Duration("7d"), Duration("30d"))


class EveryService(Scope):
    """All services: every variable has the choice "All"."""

    @property
    def slo_matchers(self) -> tuple[str, ...]:
        """No matchers."""
        return ()


QUERIES = SloQueries(EveryService(Identity()), PERIODS)

Check = Callable[..., None]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Assert the result of a query after five minutes: values by the keys of `_LABELS`."""

    def run(expr: str, series: dict[str, str], **expected: float) -> None:
        samples = [{"labels": _LABELS[name], "value": value} for name, value in expected.items()]
        case = {
            "interval": "1m",
            "input_series": [{"series": n, "values": f"{v}"} for n, v in series.items()],
            "promql_expr_test": [{"expr": expr, "eval_time": "5m", "exp_samples": samples}],
        }
        path = tmp_path / "case.yml"
        path.write_text(yaml.safe_dump({"tests": [case]}))
        done = subprocess.run(
            [tool("promtool"), "test", "rules", path],
            check=False,
            capture_output=True,
            text=True,
        )

        assert 0 == done.returncode, done.stdout + done.stderr

    return run


_LABELS = {
    "number": "{}",
    "served": SERVED,
    "east": EAST,
    "west": WEST,
    "declared": f"{SERVED[:-1]}, {INFO}",
    "declared_east": f"{EAST[:-1]}, {INFO}",
    "declared_west": f"{WEST[:-1]}, {INFO}",
}


def constant(name: str, value: str, labels: str = SERVED) -> dict[str, str]:
    """Return a constant series of the service."""
    return {f"{name}{labels}": f"{value}x10"}


class TestState:
    STATE = f"({QUERIES.state()}) + 0"
    """The query of the states; ``+ 0`` drops the metric name from its result."""

    @pytest.mark.parametrize("state", [0, 1])
    def test_slo_with_data_is_met_or_not_met(self, check: Check, state: int) -> None:
        """An SLO with data is met or not met."""
        compliant = constant("slo:compliant:bool", str(state))

        check(self.STATE, OBJECTIVE | compliant, served=state)

    def test_slo_without_result_has_no_data(self, check: Check) -> None:
        """An SLO that is neither met nor not met has no data."""
        check(self.STATE, OBJECTIVE, served=-1)

    def test_declared_state_has_labels_of_declaration(self, check: Check) -> None:
        """The declared state has the objective, the period and the owner as labels."""
        check(QUERIES.declared_state(), OBJECTIVE, declared=-1)

    def test_each_cluster_has_state_of_its_own(self, check: Check) -> None:
        """In a view over two clusters, each cluster has the state of its own SLO."""
        states = constant("slo:compliant:bool", "1", EAST) | constant(
            "slo:compliant:bool", "0", WEST
        )

        check(QUERIES.declared_state(), CLUSTERS | states, declared_east=1, declared_west=0)

    @pytest.mark.parametrize(("state", "count"), [("1", 1), ("0", 0), ("-1", 0)])
    def test_number_of_slos_in_empty_state_is_0(self, check: Check, state: str, count: int) -> None:
        """The number of SLOs in a state is 0 if no SLO is in it."""
        check(
            QUERIES.count_in_state(state),
            OBJECTIVE | constant("slo:compliant:bool", "1"),
            number=count,
        )


class TestHoursLeft:
    @pytest.mark.parametrize(
        ("left", "rate", "hours"),
        [
            pytest.param("0.5", "10", 36, id="half of 720 hours' budget at burn rate 10"),
            pytest.param("-1", "10", 0, id="exhausted and burning"),
            pytest.param("-1", "0", 0, id="exhausted and not burning"),
        ],
    )
    def test_hours_left_are_budget_times_period_divided_by_burn_rate(
        self, check: Check, left: str, rate: str, hours: float
    ) -> None:
        """The hours left are the budget left times the period, divided by the burn rate."""
        budget = constant("slo:error_budget_remaining:ratio", left)

        check(
            QUERIES.hours_left(),
            OBJECTIVE | budget | constant("slo:burn_rate:1h", rate),
            served=hours,
        )

    @pytest.mark.parametrize("rate", ["0", "1"])
    def test_burn_rate_of_at_most_1_never_exhausts_budget(self, check: Check, rate: str) -> None:
        """A burn rate of at most 1 never exhausts a budget that is left."""
        budget = constant("slo:error_budget_remaining:ratio", "0.5")
        burn_rate = constant("slo:burn_rate:1h", rate)

        check(QUERIES.hours_left(), OBJECTIVE | budget | burn_rate, served=math.inf)

    def test_slo_without_data_has_no_hours_left(self, check: Check) -> None:
        """An SLO without data has no hours left, finite or infinite."""
        check(QUERIES.hours_left(), OBJECTIVE)

    def test_each_cluster_has_hours_of_its_own(self, check: Check) -> None:
        """In a view over two clusters, each cluster has the hours left of its own budget."""
        budgets = constant("slo:error_budget_remaining:ratio", "0.5", EAST) | constant(
            "slo:error_budget_remaining:ratio", "0.1", WEST
        )
        rates = constant("slo:burn_rate:1h", "10", EAST) | constant("slo:burn_rate:1h", "10", WEST)

        check(f"round({QUERIES.hours_left()}, 0.1)", CLUSTERS | budgets | rates, east=36, west=7.2)


class TestRank:
    def test_slo_without_data_ranks_below_overspent_and_above_others(self, check: Check) -> None:
        """An SLO without data ranks after an overspent budget, and before the other budgets."""
        budget = constant("slo:error_budget_remaining:ratio", "-2", EAST)

        check(QUERIES.rank(), CLUSTERS | budget, east=-2, west=0)


class TestOtherQueries:
    def test_burn_rate_is_error_ratio_divided_by_allowed_ratio(self, check: Check) -> None:
        """A burn rate is the error ratio divided by the share of events that may be bad."""
        ratio = constant("slo:error_ratio:1h", "0.1")

        check(f"round({QUERIES.burn_rate(Duration('1h'))}, 0.001)", OBJECTIVE | ratio, served=10)

    def test_number_of_firing_alerts_is_0_only_while_watchdog_fires(self, check: Check) -> None:
        """The number of firing alerts is 0 only while the Watchdog alert fires."""
        check(QUERIES.count_firing(), WATCHDOG, number=0)
        check(QUERIES.count_firing(), {})

    def test_only_alerts_about_slos_are_counted(self, check: Check) -> None:
        """Only alerts about SLOs are counted."""
        alert = {f'ALERTS{{alertname="X", alertstate="firing", {SERVED[1:]}': "1x10"}

        check(QUERIES.count_firing(), WATCHDOG | alert, number=1)

    def test_history_of_alerts_shows_that_rules_are_evaluated(self, check: Check) -> None:
        """The history has a series of the Watchdog, so that silence means that no alert fires."""
        check(f"sum({QUERIES.alert_history()}) + 1", WATCHDOG, number=1)
        check(QUERIES.alert_history(), {})
