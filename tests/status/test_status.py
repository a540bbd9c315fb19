from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, NoLabels, Objective, Slo
from otel_meta.model import Duration, Sli
from otel_meta.status.events import Events
from otel_meta.status.status import Burn, Status
from otel_meta.status.status_json import status_json

TOTAL = Counter("acme.calls", "Calls.", NoLabels)
BAD = Counter("acme.failures", "Failures.", NoLabels)
RATIO = TOTAL.ratio(bad=BAD)
LEVEL = Gauge("acme.level", "A level.", NoLabels)


def slo(objective: str = "99.9%", sli: Sli = RATIO) -> Slo:
    """Return an SLO."""
    why = "Callers wait."
    return Slo("acme-calls", objective=objective, period="30d", sli=sli, why=why, burn_windows=())


def status(bad: float, total: float, of: Slo | None = None) -> Status:
    """Return the status of an SLO with these events."""
    return Status(
        slo=of or slo(),
        repo="acme",
        events=Events(bad, total),
        burns={Duration("5m"): Burn(1 / 3, 1.0), Duration("1h"): Burn(None, 0.0)},
        covered=12.34,
        required_coverage=0.0,
    )


counts = st.integers(0, 10**12)


class TestState:
    @given(bad=counts, good=counts, thousandths=st.integers(900, 999))
    def test_slo_is_breached_if_bad_events_exceed_error_budget(
        self, bad: int, good: int, thousandths: int
    ) -> None:
        """An SLO is breached if bad events exceed the error budget by one event."""
        objective = Objective(f"{thousandths / 10}%")
        current = status(bad, bad + good, slo(str(objective)))
        total = bad + good
        expected = (
            "no_data"
            if total == 0
            else "breached"
            if Fraction(bad, total) > objective.budget
            else "ok"
        )

        assert expected == current.state

    @pytest.mark.parametrize(
        ("bad", "state"), [(0, "ok"), (1000, "ok"), (1001, "breached"), (10**6, "breached")]
    )
    def test_slo_with_exactly_spent_error_budget_is_ok(self, bad: int, state: str) -> None:
        """An SLO with an exactly spent error budget is ok."""
        assert state == status(bad, 10**6).state

    def test_slo_without_events_has_no_data(self) -> None:
        """An SLO without events has no data."""
        assert "no_data" == status(0, 0).state

    def test_fractions_of_events_are_counted_exactly(self) -> None:
        """Fractions of events are counted exactly."""
        assert "ok" == status(0.001, 1.0 + 1e-9).state
        assert "breached" == status(0.0010000001, 1.0).state


@pytest.mark.parametrize(("bad", "severities"), [(2.4, []), (2.6, ["page"]), (3, ["page"])])
def test_burn_window_needs_its_bad_events_as_its_alert_does(
    bad: float, severities: list[str]
) -> None:
    """A burn window holds from the least number of bad events on, to half an event, as alerts."""
    quick = Slo("acme-calls", objective="99.9%", period="30d", sli=RATIO, why="Callers wait.")
    spans = {Duration("5m"): Burn(20, None), Duration("1h"): Burn(20, bad)}
    current = Status(slo=quick, repo="acme", events=Events(bad, 9), burns=spans, covered=1)

    assert severities == [window.severity for window in current.burning]


class TestSli:
    def test_sli_is_share_of_good_events(self) -> None:
        """The SLI is the share of good events."""
        assert 0.75 == status(1, 4).sli

    def test_without_events_there_is_no_sli(self) -> None:
        """Without events there is no SLI."""
        assert status(0, 0).sli is None


class TestAsJson:
    def test_json_has_plain_values_and_null_without_data(self) -> None:
        """The JSON has plain values, and null without data."""
        page = json.loads(json.dumps(status_json(status(1, 1000))))

        assert {
            "name": "acme-calls",
            "repo": "acme",
            "state": "ok",
            "objective": "99.9%",
            "period": "30d",
            "sli": 0.999,
            "good": 999,
            "bad": 1,
            "total": 1000,
            "budget_left": 0.0,
            "burn_rates": {"5m": 1 / 3, "1h": None},
            "covered_seconds": 12.3,
        }.items() <= page.items()

    def test_without_events_sli_and_error_budget_are_null(self) -> None:
        """Without events SLI and error budget are null."""
        page = status_json(status(0, 0))

        assert ("no_data", None, None) == (page["state"], page["sli"], page["budget_left"])

    @pytest.mark.parametrize(("sli", "unit"), [(RATIO, "events"), (LEVEL.at_least(1), "seconds")])
    def test_json_has_unit_of_counts(self, sli: Sli, unit: str) -> None:
        """The JSON has the unit of the counts."""
        assert unit == status_json(status(0, 1, slo(sli=sli)))["unit"]
