"""Every alert that is declared, over SLOs, or about telemetry, run by Prometheus' rule engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.rules import declared_alert_cases, overview_cases, telemetry_cases
from tests.rules.committed_rules import committed_groups
from tests.rules.promtool import Case

NAMES = [alert.name for _, alert in declared_alert_cases.alerts()]

Make = Callable[[], Case]


def each(build: Callable[[str], Case]) -> pytest.MarkDecorator:
    """Return a parametrisation with one test per alert."""
    return pytest.mark.parametrize("make", [partial(build, n) for n in NAMES], ids=NAMES)


class TestDeclared:
    @each(declared_alert_cases.fires)
    def test_declared_alert_fires_after_its_duration_beyond_bound(
        self, make: Make, wrong: str
    ) -> None:
        """A declared alert fires after its duration beyond the bound."""
        assert "" == wrong

    @each(declared_alert_cases.silent)
    def test_declared_alert_does_not_fire_within_bound(self, make: Make, wrong: str) -> None:
        """A declared alert does not fire within the bound."""
        assert "" == wrong

    @each(declared_alert_cases.absent)
    def test_declared_alert_does_not_fire_without_series(self, make: Make, wrong: str) -> None:
        """A declared alert does not fire without series."""
        assert "" == wrong

    @pytest.mark.parametrize(
        "make",
        [declared_alert_cases.first_of_its_kind, declared_alert_cases.counted_before],
        ids=["first of its kind", "counted before"],
    )
    def test_first_event_of_series_counts_if_process_was_there(
        self, make: Make, wrong: str
    ) -> None:
        """The first event of a series counts if Prometheus knew the process before."""
        assert "" == wrong


class TestOverview:
    @pytest.mark.parametrize("make", overview_cases.CASES.values(), ids=overview_cases.CASES)
    def test_alerts_across_meta_repositories_fire_in_their_cases(
        self, make: Make, wrong: str
    ) -> None:
        """Alerts across meta-repositories fire in their cases."""
        assert "" == wrong


class TestTelemetry:
    @pytest.mark.parametrize("make", telemetry_cases.CASES.values(), ids=telemetry_cases.CASES)
    def test_alerts_about_telemetry_fire_in_their_cases_only(self, make: Make, wrong: str) -> None:
        """Alerts about telemetry fire in their cases only."""
        assert "" == wrong


def test_every_committed_alert_fires_in_some_test() -> None:
    """Every committed alert fires in some test."""
    of_slos = {
        "SloErrorBudgetBurnFast",
        "SloErrorBudgetBurnSlow",
        "SloErrorBudgetExhausted",
        "SloNoEvents",
        "SloNoData",
    }
    rules = [r for groups in committed_groups().values() for g in groups for r in g["rules"]]
    tested = of_slos | {*NAMES} | overview_cases.NAMES | telemetry_cases.NAMES

    assert tested == {r["alert"] for r in rules if "alert" in r}
