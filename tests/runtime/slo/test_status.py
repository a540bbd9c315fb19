from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, NoLabels, Objective, Slo
from otel_meta.model import Sli
from otel_meta.runtime.slo.counting import Events
from otel_meta.runtime.slo.status import Status

TOTAL = Counter("acme.calls", "Calls.", NoLabels)
BAD = Counter("acme.failures", "Failures.", NoLabels)
RATIO = TOTAL.ratio(bad=BAD)
LEVEL = Gauge("acme.level", "A level.", NoLabels)


def slo(objective: str = "99.9%", sli: Sli = RATIO) -> Slo:
    """A promise."""
    why = "Callers wait."
    return Slo("acme-calls", objective=objective, period="30d", sli=sli, why=why, burn_windows=())


def status(bad: float, total: float, of: Slo | None = None) -> Status:
    """How a promise stands with these events."""
    return Status(
        slo=of or slo(),
        repo="acme",
        events=Events(bad, total),
        burn_rates={"5m": Fraction(1, 3), "1h": None},
        covered=12.34,
    )


counts = st.integers(0, 10**12)


class TestState:
    @given(bad=counts, good=counts, thousandths=st.integers(900, 999))
    def test_exact(self, bad: int, good: int, thousandths: int) -> None:
        """It is breached when more are bad than the objective allows, to the last event."""
        objective = Objective(f"{thousandths / 10}%")
        it = status(bad, bad + good, slo(str(objective)))
        total = bad + good
        expected = (
            "no_data"
            if total == 0
            else "breached"
            if Fraction(bad, total) > objective.budget
            else "ok"
        )

        assert expected == it.state

    @pytest.mark.parametrize(
        ("bad", "state"), [(0, "ok"), (1000, "ok"), (1001, "breached"), (10**6, "breached")]
    )
    def test_edge(self, bad: int, state: str) -> None:
        """All of the budget may be spent, and not one event more."""
        assert state == status(bad, 10**6).state

    def test_no_data(self) -> None:
        """Without events nothing is kept and nothing broken."""
        assert "no_data" == status(0, 0).state

    def test_fractions_of_events(self) -> None:
        """Seconds and dollars are events too, and count exactly."""
        assert "ok" == status(0.001, 1.0 + 1e-9).state
        assert "breached" == status(0.0010000001, 1.0).state


class TestSli:
    def test_share(self) -> None:
        """The indicator is the share of events that were good."""
        assert 0.75 == status(1, 4).sli

    def test_none(self) -> None:
        """Without events there is no share."""
        assert status(0, 0).sli is None


class TestAsJson:
    def test_plain(self) -> None:
        """It is plain values, with null where nothing is known."""
        page = json.loads(json.dumps(status(1, 1000).as_json()))

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

    def test_no_data(self) -> None:
        """Without events there is neither a share nor a budget."""
        page = status(0, 0).as_json()

        assert ("no_data", None, None) == (page["state"], page["sli"], page["budget_left"])

    @pytest.mark.parametrize(("sli", "unit"), [(RATIO, "events"), (LEVEL.at_least(1), "seconds")])
    def test_unit(self, sli: Sli, unit: str) -> None:
        """It says what is counted."""
        assert unit == status(0, 1, slo(sli=sli)).as_json()["unit"]
