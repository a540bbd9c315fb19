"""What the SLO page's queries answer, run by promtool on series written by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from otel_meta.model import Duration
from otel_meta.render.dashboards.slo_queries import Questions
from tests.render.dashboards.support import build_tool

ONE = '{slo="one", service_namespace="acme", service_name="shop"}'
DECLARED = '{slo="one", service_namespace="acme"}'
INFO = '{slo="one", service_namespace="acme", period="30d", objective="99%", owner="us"}'
OBJECTIVE = {f"slo:objective:ratio{DECLARED}": "0.99x10", f"slo_info{INFO}": "1x10"}
WATCHDOG = {'ALERTS{alertname="Watchdog", alertstate="firing"}': "1x10"}
ASK = Questions(
    ('service_name=~".*"', 'slo=~".*"'), ('slo=~".*"',), (Duration("7d"), Duration("30d"))
)

Check = Callable[..., None]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Asserts what a query answers at five minutes: values by labels."""

    def run(expr: str, series: dict[str, str], **wanted: float) -> None:
        samples = [{"labels": _LABELS[name], "value": value} for name, value in wanted.items()]
        case = {
            "interval": "1m",
            "input_series": [{"series": n, "values": f"{v}"} for n, v in series.items()],
            "promql_expr_test": [{"expr": expr, "eval_time": "5m", "exp_samples": samples}],
        }
        path = tmp_path / "case.yml"
        path.write_text(yaml.safe_dump({"tests": [case]}))
        done = subprocess.run(
            [build_tool().find("promtool"), "test", "rules", path],
            check=False,
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, done.stdout + done.stderr

    return run


_LABELS = {"number": "{}", "served": ONE, "unserved": DECLARED}


def of(name: str, value: str) -> dict[str, str]:
    """A series of the one service."""
    return {f"{name}{ONE}": f"{value}x10"}


class TestState:
    @pytest.mark.parametrize("state", [0, 1])
    def test_data(self, check: Check, state: int) -> None:
        """With data, an SLO is kept or broken."""
        kept = of("slo:compliant:bool", str(state))

        check(f"({ASK.state()}) + 0", OBJECTIVE | kept, served=state)

    def test_idle(self, check: Check) -> None:
        """A service without events is in no state that could be called kept."""
        check(f"({ASK.state()}) + 0", OBJECTIVE | of("slo:total:increase5m", "0"), served=-1)

    def test_silent(self, check: Check) -> None:
        """An SLO of which nobody reports is listed all the same, without data."""
        check(f"({ASK.state()}) + 0", OBJECTIVE, unserved=-1)

    @pytest.mark.parametrize(("state", "count"), [("1", 1), ("0", 0), ("-1", 0)])
    def test_counted(self, check: Check, state: str, count: int) -> None:
        """A state that no SLO is in counts zero."""
        check(ASK.in_state(state), OBJECTIVE | of("slo:compliant:bool", "1"), number=count)


class TestHoursLeft:
    @pytest.mark.parametrize(
        ("left", "rate", "hours"),
        [
            pytest.param("0.5", "10", 36, id="half of 720 hours' budget, ten times too fast"),
            pytest.param("-1", "10", 0, id="overspent and burning"),
            pytest.param("-1", "0", 0, id="overspent and calm"),
        ],
    )
    def test_burning(self, check: Check, left: str, rate: str, hours: float) -> None:
        """What is left lasts as many hours as the period has, divided by the burn rate."""
        budget = of("slo:error_budget_remaining:ratio", left)

        check(ASK.hours_left(), OBJECTIVE | budget | of("slo:burn_rate:1h", rate), served=hours)

    def test_calm(self, check: Check) -> None:
        """A budget that burns no faster than it is given is not foretold to end."""
        budget = of("slo:error_budget_remaining:ratio", "0.5")

        check(ASK.hours_left(), OBJECTIVE | budget | of("slo:burn_rate:1h", "1"))


class TestOthers:
    def test_burn(self, check: Check) -> None:
        """A burn rate is the error ratio divided by what may be bad."""
        ratio = of("slo:error_ratio:1h", "0.1")

        check(f"round({ASK.burn(Duration('1h'))}, 0.001)", OBJECTIVE | ratio, served=10)

    def test_coverage(self, check: Check) -> None:
        """Two steps of five minutes are two 8640ths of 30 days."""
        total = of("slo:total:increase5m", "0")

        check(f"round(({ASK.coverage()}) * 8640)", OBJECTIVE | total, served=2)

    def test_nothing_fires(self, check: Check) -> None:
        """Zero alerts is an answer only where the rules are evaluated."""
        check(ASK.firing(), WATCHDOG, number=0)
        check(ASK.firing(), {})

    def test_firing(self, check: Check) -> None:
        """Alerts about SLOs are counted; others are not."""
        alert = {f'ALERTS{{alertname="X", alertstate="firing", {ONE[1:]}': "1x10"}

        check(ASK.firing(), WATCHDOG | alert, number=1)
