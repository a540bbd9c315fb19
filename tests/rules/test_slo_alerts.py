"""Every alert of every SLO, run by Prometheus' own rule engine on the committed rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from otel_meta.model.slo.event_terms import EventCount
from tests.rules import burn_cases, slo_state_cases
from tests.rules.committed_rules import slos
from tests.rules.promtool import Case

ALL = [slo.name for _, slo in slos()]
EVENTS = [slo.name for _, slo in slos() if slo.sli.unit == "events"]
BAD_COUNTED = [slo.name for _, slo in slos() if isinstance(slo.sli.parts[0].bad_events, EventCount)]
KINDS = ["nebula-api-availability", "chronos-data-quality", "aurora-api-latency"]
"""An SLO for each kind of SLI that counts events."""
ALL_KINDS = [*KINDS, "titan-circuit-breaker-availability", "obsidian-zero-critical-findings"]
ARMS = [(name, arm) for name, arm in burn_cases.ARMS if arm == 0 or name in ALL_KINDS]
"""The quickest window pair of every SLO, and each window pair of an SLO of each kind."""

Make = Callable[[], Case]


def each(names: list[str], build: Callable[[str], Case]) -> pytest.MarkDecorator:
    """Return a parametrisation with one test per SLO."""
    return pytest.mark.parametrize("make", [partial(build, name) for name in names], ids=names)


class TestBurns:
    @pytest.mark.parametrize(
        "make",
        [partial(burn_cases.fires, name, arm) for name, arm in ARMS],
        ids=[f"{name}/{arm}" for name, arm in ARMS],
    )
    def test_each_window_pair_fires_with_oracle(self, make: Make, wrong: str) -> None:
        """Each window pair fires and ends within an evaluation of the oracle."""
        assert "" == wrong

    @pytest.mark.parametrize(
        "make",
        [
            partial(burn_cases.silent, name, severity)
            for name in ALL_KINDS
            for severity in burn_cases.ALERTS
        ],
        ids=[f"{name}/{severity}" for name in ALL_KINDS for severity in burn_cases.ALERTS],
    )
    def test_share_of_bad_events_below_lowest_limit_never_fires_alert(
        self, make: Make, wrong: str
    ) -> None:
        """A share of bad events below the lowest limit never fires an alert."""
        assert "" == wrong

    @each(ALL_KINDS, burn_cases.burst_too_short)
    def test_burst_that_is_too_short_does_not_page(self, make: Make, wrong: str) -> None:
        """A burst that is too short does not page."""
        assert "" == wrong

    @each(KINDS, slo_state_cases.one_failure)
    def test_one_failure_in_hour_without_other_events_fires_no_alert(
        self, make: Make, wrong: str
    ) -> None:
        """One failure in an hour without other events fires no alert."""
        assert "" == wrong


class TestBudgetExhausted:
    @each(ALL, slo_state_cases.exhausted)
    def test_exhausted_alert_fires_five_minutes_after_budget_is_exhausted(
        self, make: Make, wrong: str
    ) -> None:
        """The exhausted alert fires five minutes after the budget is exhausted."""
        assert "" == wrong

    @each(ALL, slo_state_cases.nearly_exhausted)
    def test_exhausted_alert_does_not_fire_while_budget_is_left(
        self, make: Make, wrong: str
    ) -> None:
        """The exhausted alert does not fire while budget is left."""
        assert "" == wrong


class TestNoEvents:
    @each(KINDS, slo_state_cases.no_events)
    def test_no_events_alert_fires_after_declared_time_without_events(
        self, make: Make, wrong: str
    ) -> None:
        """The no-events alert fires after the declared time without events."""
        assert "" == wrong

    @each(KINDS, slo_state_cases.one_event_per_period)
    def test_no_events_alert_does_not_fire_with_one_event(self, make: Make, wrong: str) -> None:
        """The no-events alert does not fire with one event in each declared time."""
        assert "" == wrong

    @each(KINDS[:1], slo_state_cases.idle_at_same_time)
    def test_no_events_alert_does_not_fire_at_usual_idle_times(
        self, make: Make, wrong: str
    ) -> None:
        """The no-events alert does not fire at times without events a week ago."""
        assert "" == wrong

    @each(KINDS, slo_state_cases.new_service)
    def test_no_events_alert_does_not_fire_for_new_service(self, make: Make, wrong: str) -> None:
        """The no-events alert does not fire for a new service."""
        assert "" == wrong


class TestNoData:
    @each(ALL, slo_state_cases.series_gone)
    def test_no_data_alert_fires_after_declared_time_without_series(
        self, make: Make, wrong: str
    ) -> None:
        """The no-data alert fires after the declared time without series."""
        assert "" == wrong

    @each(ALL, slo_state_cases.short_gap)
    def test_no_data_alert_does_not_fire_for_shorter_gap(self, make: Make, wrong: str) -> None:
        """The no-data alert does not fire for a shorter gap."""
        assert "" == wrong

    @each(ALL_KINDS, slo_state_cases.never_reported)
    def test_slo_without_any_series_is_neither_met_nor_not_met(
        self, make: Make, wrong: str
    ) -> None:
        """An SLO without any series is neither met nor not met."""
        assert "" == wrong

    @each(ALL_KINDS, slo_state_cases.stale)
    def test_slo_without_data_any_more_is_neither_met_nor_missed(
        self, make: Make, wrong: str
    ) -> None:
        """An SLO whose series are gone is neither met nor not met."""
        assert "" == wrong


class TestRecordings:
    @each(BAD_COUNTED, slo_state_cases.never_bad)
    def test_service_without_bad_series_has_its_whole_budget(self, make: Make, wrong: str) -> None:
        """A service without bad series has its whole budget."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.never_any_event)
    def test_service_without_events_has_no_ratio_and_no_nan(self, make: Make, wrong: str) -> None:
        """A service without events has no ratio and no NaN."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.hour_without_events)
    def test_hour_without_events_does_not_change_ratio_of_period(
        self, make: Make, wrong: str
    ) -> None:
        """An hour without events does not change the ratio of the period."""
        assert "" == wrong

    @each(EVENTS, slo_state_cases.uneven_traffic)
    def test_ratio_is_weighted_by_events_within_one_percent(self, make: Make, wrong: str) -> None:
        """A ratio is weighted by events within one percent."""
        assert "" == wrong


class TestApart:
    @pytest.mark.parametrize("make", [slo_state_cases.same_histogram], ids=["aurora-api"])
    def test_two_slos_of_one_histogram_have_independent_numbers(
        self, make: Make, wrong: str
    ) -> None:
        """Two SLOs of one histogram have independent numbers."""
        assert "" == wrong

    @pytest.mark.parametrize("make", [slo_state_cases.other_repository], ids=["nebula-titan"])
    def test_series_of_another_meta_repository_are_not_counted(
        self, make: Make, wrong: str
    ) -> None:
        """Series of another meta-repository are not counted."""
        assert "" == wrong

    @pytest.mark.parametrize("make", [slo_state_cases.two_services], ids=["titan"])
    def test_alert_names_service_that_does_not_meet_slo(self, make: Make, wrong: str) -> None:
        """An alert names the service that does not meet the SLO."""
        assert "" == wrong
