"""Every alert of every SLO, run by Prometheus' own rule engine on the committed rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from otel_meta.model.event_terms import EventCount
from tests.rules import burn_cases, slo_state_cases
from tests.rules.committed_rules import slos
from tests.rules.promtool import Case

ALL = [slo.name for _, slo in slos()]
EVENTS = [slo.name for _, slo in slos() if slo.sli.unit == "events"]
BAD_COUNTED = [slo.name for _, slo in slos() if isinstance(slo.sli.bad_events, EventCount)]
KINDS = ["nebula-api-availability", "chronos-data-quality", "aurora-api-latency"]
"""An SLO for each kind of indicator that counts events."""
ALL_KINDS = [*KINDS, "titan-circuit-breaker-availability", "obsidian-zero-critical-findings"]

Make = Callable[[], Case]


def each(names: list[str], build: Callable[[str], Case]) -> pytest.MarkDecorator:
    """One test an SLO."""
    return pytest.mark.parametrize("make", [partial(build, name) for name in names], ids=names)


class TestBurns:
    @pytest.mark.parametrize(
        "make",
        [partial(burn_cases.fires, name, arm) for name, arm in burn_cases.ARMS],
        ids=[f"{name}/{arm}" for name, arm in burn_cases.ARMS],
    )
    def test_fires(self, make: Make, wrong: str) -> None:
        """Each window pair fires at the evaluation at which its arithmetic says so."""
        assert "" == wrong

    @pytest.mark.parametrize(
        "make",
        [
            partial(burn_cases.silent, name, severity)
            for name in ALL
            for severity in burn_cases.ALERTS
        ],
        ids=[f"{name}/{severity}" for name in ALL for severity in burn_cases.ALERTS],
    )
    def test_silent(self, make: Make, wrong: str) -> None:
        """A share of bad events just below the lowest limit tells nobody, however long."""
        assert "" == wrong

    @each(ALL, burn_cases.nearly)
    def test_nearly(self, make: Make, wrong: str) -> None:
        """A burst a minute too short to page does not page."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.one_failure)
    def test_one_failure(self, make: Make, wrong: str) -> None:
        """One failure in a quiet hour wakes nobody, though its ratio is 100 %."""
        assert "" == wrong


class TestBudgetExhausted:
    @each(ALL, slo_state_cases.exhausted)
    def test_fires(self, make: Make, wrong: str) -> None:
        """It fires five minutes after the last of the budget is gone, and not before."""
        assert "" == wrong

    @each(ALL, slo_state_cases.nearly_exhausted)
    def test_silent(self, make: Make, wrong: str) -> None:
        """It is silent while 3 % of the budget is left."""
        assert "" == wrong


class TestIdle:
    @each(EVENTS, slo_state_cases.idle)
    def test_fires(self, make: Make, wrong: str) -> None:
        """It fires once a service that reports has had no events for the quiet time."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.busy)
    def test_silent(self, make: Make, wrong: str) -> None:
        """One event within each quiet time is enough."""
        assert "" == wrong

    @each(KINDS, slo_state_cases.newborn)
    def test_newborn(self, make: Make, wrong: str) -> None:
        """A service that has only just started has not been idle for the quiet time."""
        assert "" == wrong


class TestNoData:
    @each(ALL, slo_state_cases.gone)
    def test_fires(self, make: Make, wrong: str) -> None:
        """It fires once the series of a service have been gone for the quiet time."""
        assert "" == wrong

    @each(ALL, slo_state_cases.back)
    def test_silent(self, make: Make, wrong: str) -> None:
        """A silence shorter than the quiet time is told to nobody."""
        assert "" == wrong

    @each(ALL_KINDS, slo_state_cases.unseen)
    def test_unseen(self, make: Make, wrong: str) -> None:
        """A promise about a service that was never seen is not said to be kept."""
        assert "" == wrong

    @each(ALL_KINDS, slo_state_cases.forgotten)
    def test_forgotten(self, make: Make, wrong: str) -> None:
        """A promise about a service that went silent is no longer said to be kept."""
        assert "" == wrong


class TestRecordings:
    @each(BAD_COUNTED, slo_state_cases.never_bad)
    def test_never_bad(self, make: Make, wrong: str) -> None:
        """A service that never failed has a ratio of 0, its whole budget and no alert."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.standstill)
    def test_standstill(self, make: Make, wrong: str) -> None:
        """A service without events has no ratio: neither NaN, nor kept, nor broken."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.pause)
    def test_pause(self, make: Make, wrong: str) -> None:
        """An hour without events leaves the ratio of the period where it was."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.uneven)
    def test_uneven(self, make: Make, wrong: str) -> None:
        """A ratio is bad events by all events, within 1 %, however uneven the traffic."""
        assert "" == wrong


class TestApart:
    @pytest.mark.parametrize("make", [slo_state_cases.neighbours], ids=["aurora-api"])
    def test_slos(self, make: Make, wrong: str) -> None:
        """A second promise about the same histogram does not touch the first one's numbers."""
        assert "" == wrong

    @pytest.mark.parametrize("make", [slo_state_cases.stranger], ids=["nebula-titan"])
    def test_repositories(self, make: Make, wrong: str) -> None:
        """Series of the same name from another meta-repository are not counted."""
        assert "" == wrong

    @pytest.mark.parametrize("make", [slo_state_cases.siblings], ids=["titan"])
    def test_services(self, make: Make, wrong: str) -> None:
        """Each service keeps the promise on its own, and the alert names the one that does not."""
        assert "" == wrong
