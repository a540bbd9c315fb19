from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import PRESENT, Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Combined, Sli, TimeSlice
from otel_meta.model.selector import as_selector
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.counting import event_counter
from otel_meta.status.events import Events


@labels
class Call:
    route: str
    outcome: Literal["ok", "failed"] = "ok"
    error: str = ""


CALLS = Counter("acme.calls", "Calls.", Call)
FAILURES = Counter("acme.failures", "Failures.", NoLabels)
TRIES = Counter("acme.tries", "Tries.", NoLabels)
LATENCY = Histogram("acme.latency", "Latency.", Call, unit="s", buckets=(0.1, 0.5, 1))
LEVEL = Gauge("acme.level", "A level.", Call)
OPEN = UpDownCounter("acme.open", "What is open.", NoLabels)


class Bench:
    """A metric storage, and the counter of an SLI from second 0."""

    def __init__(self, sli: Sli) -> None:
        self.storage = MetricStorage(Faults())
        self._counter = event_counter(sli, self.storage, 0.0)

    def live(self, instrument: Any) -> Any:
        """Return the live instrument."""
        return self.storage.recorder(instrument)

    def events(self, now: float = 0.0) -> Events:
        """Return the events up to a moment."""
        return self._counter.count(now)


class TestRatio:
    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    def test_ratio_of_bad_events_counts_bad_and_total_events(
        self, calls: list[tuple[int, int]]
    ) -> None:
        """A ratio of bad events counts bad and total events."""
        bench = Bench(CALLS.ratio(bad=CALLS.where(outcome="failed")))
        for ok, failed in calls:
            bench.live(CALLS).add(ok, route="/")
            bench.live(CALLS).add(failed, route="/", outcome="failed")

        assert (sum(f for _, f in calls), sum(o + f for o, f in calls)) == bench.events()

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    def test_ratio_of_good_events_counts_all_other_events_as_bad(
        self, calls: list[tuple[int, int]]
    ) -> None:
        """A ratio of good events counts all other events as bad."""
        bench = Bench(CALLS.ratio(good=CALLS.where(outcome="ok")))
        for ok, failed in calls:
            bench.live(CALLS).add(ok, route="/")
            bench.live(CALLS).add(failed, route="/", outcome="failed")

        assert (sum(f for _, f in calls), sum(o + f for o, f in calls)) == bench.events()

    def test_more_good_events_than_events_are_zero_bad_events(self) -> None:
        """More good events than events are zero bad events."""
        bench = Bench(TRIES.ratio(good=FAILURES))
        bench.live(FAILURES).add(3)
        bench.live(TRIES).add(1)

        assert (0.0, 1.0) == bench.events()

    def test_ratio_may_have_two_instruments(self) -> None:
        """A ratio may have two instruments."""
        bench = Bench(TRIES.ratio(bad=FAILURES))
        bench.live(TRIES).add(4)
        bench.live(FAILURES).add(1)

        assert (1.0, 4.0) == bench.events()

    def test_selector_of_any_value_counts_series_with_label(self) -> None:
        """A selector of any value counts the series with the label."""
        bench = Bench(LATENCY.ratio(bad=LATENCY.where(error=PRESENT)))
        bench.live(LATENCY).record(0.1, route="/")
        bench.live(LATENCY).record(0.1, route="/", error="ValueError")
        bench.live(LATENCY).record(0.1, route="/", error="KeyError")

        assert (2.0, 3.0) == bench.events()

    def test_ratio_without_recordings_has_no_events(self) -> None:
        """A ratio without recordings has no events."""
        assert (0.0, 0.0) == Bench(CALLS.ratio(bad=CALLS.where(outcome="failed"))).events()

    def test_overflow_series_counts_as_total_events_but_matches_no_label(self) -> None:
        """The overflow series counts as total events but matches no label."""
        bench = Bench(CALLS.ratio(bad=CALLS.where(outcome="failed")))
        live = bench.live(CALLS)
        for number in range(MAX_SERIES):
            live.add(1, route=str(number), outcome="failed")
        bad = sum(
            cell.value
            for cell in bench.storage.family(CALLS).cells()
            if cell.labels[1:2] == ("failed",)
        )

        assert (bad, float(MAX_SERIES)) == bench.events()
        assert bad < MAX_SERIES


class TestThreshold:
    @given(st.lists(st.floats(0, 2)))
    def test_values_above_bound_are_bad_and_bound_is_good(self, values: list[float]) -> None:
        """Values above the bound are bad and the bound is good."""
        bench = Bench(LATENCY.within(0.5))
        for value in values:
            bench.live(LATENCY).record(value, route="/")

        assert (sum(v > 0.5 for v in values), len(values)) == bench.events()

    def test_threshold_counts_only_selected_series(self) -> None:
        """A threshold counts only the selected series."""
        bench = Bench(LATENCY.within(0.5).where(outcome="ok"))
        bench.live(LATENCY).record(0.7, route="/")
        bench.live(LATENCY).record(0.7, route="/", outcome="failed")

        assert (1.0, 1.0) == bench.events()

    def test_selection_without_label_has_overflow_series_as_in_promql(self) -> None:
        """A selection of the series without a label has the overflow series, as in PromQL."""
        bench = Bench(LATENCY.where(error="").within(0.5))
        live = bench.live(LATENCY)
        for number in range(MAX_SERIES + 1):
            live.record(0.7, route=str(number), error="KeyError")
        events = bench.events()

        assert events.bad == events.total > 0


class TestCombined:
    def test_events_of_all_parts_are_added_up(self) -> None:
        """The events of all parts are added up."""
        bench = Bench(
            Combined(
                LATENCY.where(error="").within(0.5),
                LATENCY.where(error="Late").within(1),
                TRIES.ratio(bad=FAILURES),
            )
        )
        for value, error in ((0.6, ""), (0.4, ""), (0.6, "Late"), (2, "Late"), (9, "Other")):
            bench.live(LATENCY).record(value, route="/", error=error)
        bench.live(TRIES).add(10)
        bench.live(FAILURES).add(3)

        assert (5.0, 14.0) == bench.events()

    def test_part_without_recordings_has_no_events(self) -> None:
        """A part without recordings has no events."""
        bench = Bench(Combined(LATENCY.within(0.5), CALLS.ratio(good=CALLS.where(outcome="ok"))))
        bench.live(LATENCY).record(0.6, route="/")

        assert (1.0, 1.0) == bench.events()

    def test_surplus_of_good_events_in_one_part_hides_no_bad_event_of_another(self) -> None:
        """A surplus of good events in one part hides no bad event of another."""
        bench = Bench(Combined(LATENCY.within(0.5), TRIES.ratio(good=FAILURES)))
        bench.live(LATENCY).record(0.6, route="/")
        bench.live(TRIES).add(1)
        bench.live(FAILURES).add(3)

        assert (1.0, 2.0) == bench.events()


class TestTimeSlice:
    def test_time_without_value_of_gauge_is_not_counted(self) -> None:
        """Time without a value of the gauge is not counted."""
        bench = Bench(LEVEL.at_least(1))

        assert (0.0, 0.0) == bench.events(100.0)

    def test_each_mode_counts_time_of_every_series(self) -> None:
        """Each mode counts the time of every series."""
        bench = Bench(LEVEL.at_least(1))
        bench.live(LEVEL).set(1, route="a")
        bench.live(LEVEL).set(0, route="b")

        assert (10.0, 20.0) == bench.events(10.0)

    def test_worst_mode_counts_time_once_bad_if_any_series(self) -> None:
        """Worst mode counts time once, bad if any series is bad."""
        bench = Bench(LEVEL.at_least(1).worst())
        bench.live(LEVEL).set(1, route="a")
        bench.live(LEVEL).set(0, route="b")

        assert (10.0, 10.0) == bench.events(10.0)

    def test_worst_mode_counts_no_time_without_series(self) -> None:
        """Worst mode counts no time without series."""
        assert (0.0, 0.0) == Bench(LEVEL.at_least(1).worst()).events(10.0)

    def test_time_since_last_call_counts_by_current_value(self) -> None:
        """Time since the last call counts by the current value."""
        bench = Bench(LEVEL.at_most(0))
        bench.live(LEVEL).set(0, route="a")
        bench.events(10.0)
        bench.live(LEVEL).set(1, route="a")
        bench.events(15.0)
        bench.live(LEVEL).set(0, route="a")

        assert (5.0, 20.0) == bench.events(20.0)

    @pytest.mark.parametrize(("open_now", "bad"), [(3, 0.0), (4, 10.0)])
    def test_up_down_counter_has_time_slices_like_gauge(self, open_now: int, bad: float) -> None:
        """An up-down counter has time slices like a gauge."""
        bench = Bench(TimeSlice(as_selector(OPEN), at_most=3))
        bench.live(OPEN).add(open_now)

        assert (bad, 10.0) == bench.events(10.0)

    def test_two_calls_at_same_moment_count_time_once(self) -> None:
        """Two calls at the same moment count time once."""
        bench = Bench(LEVEL.at_least(1))
        bench.live(LEVEL).set(1, route="a")
        bench.events(10.0)

        assert (0.0, 10.0) == bench.events(10.0)
