from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import PRESENT, Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Sli, TimeSlice
from otel_meta.model.selector import as_selector
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.counting import Events, event_counter


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
    """MetricStorage, and one indicator that is counted from second 0."""

    def __init__(self, sli: Sli) -> None:
        self.storage = MetricStorage(Faults())
        self._count = event_counter(sli, self.storage, 0.0)

    def live(self, instrument: Any) -> Any:
        """The live half of an instrument."""
        return self.storage.recorder(instrument)

    def events(self, now: float = 0.0) -> Events:
        """What has been counted by a moment."""
        return self._count(now)


class TestRatio:
    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    def test_bad(self, calls: list[tuple[int, int]]) -> None:
        """Bad events are those of the part that is bad, total ones all of them."""
        bench = Bench(CALLS.ratio(bad=CALLS.where(outcome="failed")))
        for ok, failed in calls:
            bench.live(CALLS).add(ok, route="/")
            bench.live(CALLS).add(failed, route="/", outcome="failed")

        assert (sum(f for _, f in calls), sum(o + f for o, f in calls)) == bench.events()

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    def test_good(self, calls: list[tuple[int, int]]) -> None:
        """Where the good part is counted, the others are bad."""
        bench = Bench(CALLS.ratio(good=CALLS.where(outcome="ok")))
        for ok, failed in calls:
            bench.live(CALLS).add(ok, route="/")
            bench.live(CALLS).add(failed, route="/", outcome="failed")

        assert (sum(f for _, f in calls), sum(o + f for o, f in calls)) == bench.events()

    def test_more_good(self) -> None:
        """More good events than events, between two recordings, are no negative failures."""
        bench = Bench(TRIES.ratio(good=FAILURES))
        bench.live(FAILURES).add(3)
        bench.live(TRIES).add(1)

        assert (0.0, 1.0) == bench.events()

    def test_two_instruments(self) -> None:
        """Bad events may have an instrument of their own."""
        bench = Bench(TRIES.ratio(bad=FAILURES))
        bench.live(TRIES).add(4)
        bench.live(FAILURES).add(1)

        assert (1.0, 4.0) == bench.events()

    def test_present(self) -> None:
        """A label asked for whatever its value counts the series that have it."""
        bench = Bench(LATENCY.ratio(bad=LATENCY.where(error=PRESENT)))
        bench.live(LATENCY).record(0.1, route="/")
        bench.live(LATENCY).record(0.1, route="/", error="ValueError")
        bench.live(LATENCY).record(0.1, route="/", error="KeyError")

        assert (2.0, 3.0) == bench.events()

    def test_nothing(self) -> None:
        """Before anything was recorded there are no events."""
        assert (0.0, 0.0) == Bench(CALLS.ratio(bad=CALLS.where(outcome="failed"))).events()

    def test_overflow(self) -> None:
        """What is over the limit is among all events, though not among those with some label."""
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
    def test_bound(self, values: list[float]) -> None:
        """Values above the bound are bad; the bound itself is good."""
        bench = Bench(LATENCY.within(0.5))
        for value in values:
            bench.live(LATENCY).record(value, route="/")

        assert (sum(v > 0.5 for v in values), len(values)) == bench.events()

    def test_where(self) -> None:
        """Only the series that are meant count."""
        bench = Bench(LATENCY.within(0.5).where(outcome="ok"))
        bench.live(LATENCY).record(0.7, route="/")
        bench.live(LATENCY).record(0.7, route="/", outcome="failed")

        assert (1.0, 1.0) == bench.events()


class TestTimeSlice:
    def test_unset(self) -> None:
        """Time in which a gauge had no value is not counted."""
        bench = Bench(LEVEL.at_least(1))

        assert (0.0, 0.0) == bench.events(100.0)

    def test_each(self) -> None:
        """Every series has its own time."""
        bench = Bench(LEVEL.at_least(1))
        bench.live(LEVEL).set(1, route="a")
        bench.live(LEVEL).set(0, route="b")

        assert (10.0, 20.0) == bench.events(10.0)

    def test_worst(self) -> None:
        """Judged by the worst, there is one time, bad as soon as one series is."""
        bench = Bench(LEVEL.at_least(1).worst())
        bench.live(LEVEL).set(1, route="a")
        bench.live(LEVEL).set(0, route="b")

        assert (10.0, 10.0) == bench.events(10.0)

    def test_worst_unset(self) -> None:
        """Judged by the worst, no series is no time."""
        assert (0.0, 0.0) == Bench(LEVEL.at_least(1).worst()).events(10.0)

    def test_changes(self) -> None:
        """Time adds up from look to look, by what the gauge shows at each."""
        bench = Bench(LEVEL.at_most(0))
        bench.live(LEVEL).set(0, route="a")
        bench.events(10.0)
        bench.live(LEVEL).set(1, route="a")
        bench.events(15.0)
        bench.live(LEVEL).set(0, route="a")

        assert (5.0, 20.0) == bench.events(20.0)

    @pytest.mark.parametrize(("open_now", "bad"), [(3, 0.0), (4, 10.0)])
    def test_up_down_counter(self, open_now: int, bad: float) -> None:
        """What goes up and down is watched like a gauge, and the bound itself is good."""
        bench = Bench(TimeSlice(as_selector(OPEN), at_most=3))
        bench.live(OPEN).add(open_now)

        assert (bad, 10.0) == bench.events(10.0)

    def test_same_moment(self) -> None:
        """Two looks at the same moment count no time twice."""
        bench = Bench(LEVEL.at_least(1))
        bench.live(LEVEL).set(1, route="a")
        bench.events(10.0)

        assert (0.0, 10.0) == bench.events(10.0)
