"""Every declared alert and every alert across repositories, run by Prometheus' rule engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.rules import declared_alert_cases, overview_cases
from tests.rules.committed_rules import committed
from tests.rules.promtool import Case

NAMES = [alert.name for _, alert in declared_alert_cases.alerts()]

Make = Callable[[], Case]


def each(build: Callable[[str], Case]) -> pytest.MarkDecorator:
    """One test an alert."""
    return pytest.mark.parametrize("make", [partial(build, n) for n in NAMES], ids=NAMES)


class TestDeclared:
    @each(declared_alert_cases.fires)
    def test_fires(self, make: Make, wrong: str) -> None:
        """It fires when its measure has been beyond the bound as long as declared, not before."""
        assert "" == wrong

    @each(declared_alert_cases.silent)
    def test_silent(self, make: Make, wrong: str) -> None:
        """It is silent while its measure stays just within the bound."""
        assert "" == wrong

    @each(declared_alert_cases.absent)
    def test_absent(self, make: Make, wrong: str) -> None:
        """It is silent while there is nothing to measure; the SLO's own alerts tell that."""
        assert "" == wrong


class TestCross:
    @pytest.mark.parametrize("make", overview_cases.CASES.values(), ids=overview_cases.CASES)
    def test_case(self, make: Make, wrong: str) -> None:
        """Alerts across repositories fire, and stay silent, when their name says so."""
        assert "" == wrong


def test_all() -> None:
    """Every alert of the committed rules is one that some test makes fire."""
    of_slos = {
        "SloErrorBudgetBurnFast",
        "SloErrorBudgetBurnSlow",
        "SloErrorBudgetExhausted",
        "SloNoEvents",
        "SloNoData",
    }
    rules = [r for groups in committed().values() for g in groups for r in g["rules"]]

    assert of_slos | {*NAMES} | overview_cases.NAMES == {r["alert"] for r in rules if "alert" in r}
