from __future__ import annotations

import os
from fractions import Fraction
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta import Counter, MetaRepo, NoLabels, Slo
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.tracker import INTERVAL, SloTracker
from otel_meta.status.events import Events
from otel_meta.status.status import Status
from otel_meta.testing import FakeClock
from tests.runtime.forks import in_child
from tests.runtime.slo.acme_calls import DAY, HOUR, Acme

STEPS = ((1.2 * HOUR, 10), (7 * HOUR, 120), (3.1 * DAY, 600), (float("inf"), 1800))


class Other(MetaRepo, name="other", owner="us"):
    """Other calls."""

    calls = Counter("other.calls", "Calls.", NoLabels)
    failures = Counter("other.failures", "Failures.", NoLabels)
    availability = Slo(
        "other-availability",
        objective="99%",
        period="7d",
        sli=calls.ratio(bad=failures),
        why="Callers wait.",
    )


class Seen(NamedTuple):
    """A recorded event, kept by the oracle."""

    at: float
    bad: int
    total: int


class Bench:
    """A tracker on a fake clock, and an oracle that keeps every event."""

    def __init__(self, start: float = 1000.0) -> None:
        self.storage = MetricStorage(Faults())
        self.clock = FakeClock(start)
        self.tracker = SloTracker(self.storage, self.clock)
        self.tracker.track(Acme)
        self.seen: list[Seen] = []
        self._next = start + INTERVAL

    def live(self, instrument: Any) -> Any:
        """Return the live instrument."""
        return self.storage.recorder(instrument)

    def happen(self, bad: int, good: int) -> None:
        """Record some events."""
        self.live(Acme.calls).add(bad + good)
        self.live(Acme.failures).add(bad)
        self.seen.append(Seen(self.clock(), bad, bad + good))

    def wait(self, seconds: float) -> None:
        """Advance the clock, and sample at every interval."""
        until = self.clock() + seconds
        while self._next <= until:
            self.clock.now = self._next
            self.tracker.sample()
            self._next += INTERVAL
        self.clock.now = until

    def within(self, seconds: float) -> Events:
        """Return the oracle's events of the last seconds."""
        began = self.clock() - seconds
        inside = [event for event in self.seen if event.at > began]
        return Events(sum(e.bad for e in inside), sum(e.total for e in inside))

    def burns(self, seconds: float) -> set[Fraction | None]:
        """Return the possible burn rates: with the events of up to one step more."""
        longest = seconds + step_of(seconds)
        edges = [self.clock() - event.at for event in self.seen]
        return {
            burn(self.within(at_most + 0.1))
            for at_most in (seconds, *edges)
            if seconds <= at_most <= longest
        }


def step_of(seconds: float) -> int:
    """Return the step of the history at an age in seconds."""
    return next(step for reach, step in STEPS if seconds <= reach)


def burn(events: Events) -> Fraction | None:
    """Return the burn rate for an objective of 99 %."""
    bad, total = map(Fraction, events)
    return bad / total * 100 if total else None


# Half seconds: never at the very moment of a look, where before and after are a matter of taste.
pauses = st.integers(0, 6 * 3600).map(lambda seconds: seconds + 0.5) | st.just(20 * HOUR + 0.5)
scripts = st.lists(
    st.tuples(pauses, st.integers(0, 20), st.integers(0, 200)), min_size=1, max_size=12
)


class TestOracle:
    @settings(max_examples=8)
    @given(script=scripts, rest=st.integers(0, 2 * HOUR))
    def test_window_has_its_events_and_at_most_one_step_more(
        self, script: list[tuple[float, int, int]], rest: int
    ) -> None:
        """A window has all of its events, and at most those of one step more."""
        bench = Bench()
        for pause, bad, good in script:
            bench.wait(pause - (bench.clock() % 1))
            bench.happen(bad, good)
        bench.wait(rest)
        status = bench.tracker.status(Acme.availability)

        for span in Acme.availability.burn_lookbacks():
            burns = [burn and float(burn) for burn in bench.burns(span.seconds)]
            assert status.burn_rates[str(span)] in burns, span

    @settings(max_examples=8)
    @given(script=scripts)
    def test_every_event_since_start_counts_exactly_during_first_period(
        self, script: list[tuple[float, int, int]]
    ) -> None:
        """Every event since the start counts exactly during the first period."""
        bench = Bench()
        for pause, bad, good in script:
            bench.wait(min(pause, 12 * HOUR))
            bench.happen(bad, good)
        status = bench.tracker.status(Acme.availability)
        total = sum(event.total for event in bench.seen)

        assert Events(sum(event.bad for event in bench.seen), total) == status.events
        assert (total == 0) == (status.state == "no_data")

    def test_events_older_than_period_do_not_count(self) -> None:
        """Events older than the period do not count."""
        bench = Bench()
        bench.happen(50, 50)
        bench.wait(7 * DAY - 1)
        before = bench.tracker.status(Acme.availability).events
        bench.wait(HOUR)

        assert (50.0, 100.0) == before
        assert "no_data" == bench.tracker.status(Acme.availability).state

    def test_each_event_weighs_same_at_any_traffic(self) -> None:
        """Each event weighs the same, at any traffic."""
        bench = Bench()
        bench.happen(0, 10**6)
        bench.wait(HOUR)
        bench.happen(100, 0)
        bench.wait(INTERVAL)
        status = bench.tracker.status(Acme.availability)

        assert Fraction(100, 1_000_100) == status.budget.bad / status.budget.total
        assert status.budget.left is not None
        assert status.budget.left > 0


class TestBurnRates:
    def test_exactly_as_many_bad_events_as_objective_allows_burn(self) -> None:
        """Exactly as many bad events as the objective allows burn at rate 1."""
        bench = Bench()
        bench.happen(1, 99)

        assert {Fraction(1)} == set(bench.tracker.status(Acme.availability).burn_rates.values())

    def test_window_without_events_has_no_burn_rate(self) -> None:
        """A window without events has no burn rate."""
        bench = Bench()
        bench.happen(1, 99)
        bench.wait(2 * HOUR)
        rates = bench.tracker.status(Acme.availability).burn_rates

        assert (None, None, 1.0) == (rates["5m"], rates["1h"], rates["6h"])

    def test_every_lookback_of_alert_has_burn_rate(self) -> None:
        """Every lookback of an alert has a burn rate."""
        rates = Bench().tracker.status(Acme.availability).burn_rates

        assert [str(span) for span in Acme.availability.burn_lookbacks()] == list(rates)


class TestTimeSlices:
    def test_time_slices_count_seconds_by_value_of_gauge(self) -> None:
        """Time slices count seconds by the value of the gauge."""
        bench = Bench()
        bench.live(Acme.level).set(1)
        bench.wait(100)
        bench.live(Acme.level).set(0)
        bench.wait(20)

        assert (20.0, 120.0) == bench.tracker.status(Acme.steadiness).events

    def test_time_since_last_sample_counts(self) -> None:
        """The time since the last sample counts."""
        bench = Bench()
        bench.live(Acme.level).set(0)
        bench.wait(15)

        assert (15.0, 15.0) == bench.tracker.status(Acme.steadiness).events


class StuckClock:
    """A clock that waits for an event, as soon as it is stuck, except in a forked child."""

    def __init__(self) -> None:
        self.is_stuck = False
        self.entered, self.release = Event(), Event()
        self._parent = os.getpid()

    def __call__(self) -> float:
        """Wait in the parent, return at once in the child."""
        if self.is_stuck and os.getpid() == self._parent:
            self.entered.set()
            self.release.wait(20)
        return 0.0


def stuck_sample() -> tuple[StuckClock, SloTracker, Thread]:
    """Return a tracker whose sample is under way in a thread, until the release of its clock."""
    clock = StuckClock()
    tracker = SloTracker(MetricStorage(Faults()), clock)
    tracker.track(Acme)
    clock.is_stuck = True
    sampling = Thread(target=tracker.sample)
    sampling.start()
    clock.entered.wait(20)
    return clock, tracker, sampling


class TestFork:
    def test_child_that_is_forked_while_its_parent_takes_sample_can(self) -> None:
        """A child that is forked while its parent takes a sample can read the statuses."""
        clock, tracker, sampling = stuck_sample()
        found = in_child(lambda: len(tracker.statuses()))
        clock.release.set()
        sampling.join()

        assert 2 == found

    def test_child_has_history_of_its_own(self) -> None:
        """A forked child counts its own events, without those of its parent."""
        bench = Bench()
        bench.happen(9, 1)
        bench.wait(60)

        def events() -> int:
            if bench.tracker.status(Acme.availability).state != "no_data":
                return 99
            bench.happen(2, 5)
            bench.wait(60)
            status = bench.tracker.status(Acme.availability)
            return int(status.events.total * 10 + status.events.bad + status.covered - 60)

        assert 72 == in_child(events)
        assert Events(9.0, 10.0) == bench.tracker.status(Acme.availability).events


class Refreshed:
    """A source whose new events are found by a refresh only, as those of other workers."""

    def __init__(self) -> None:
        self.storage = MetricStorage(Faults())
        self._pending = 0.0

    def happen(self, events: float) -> None:
        """Record events in another worker."""
        self._pending += events

    def family(self, instrument: Any) -> Any:
        """Return the series of an instrument."""
        return self.storage.family(instrument)

    def refresh(self) -> None:
        """Find the events of the other worker."""
        self.storage.recorder(Acme.calls).add(self._pending)
        self._pending = 0.0


class TestSample:
    def test_sample_finds_events_of_other_workers(self) -> None:
        """A sample finds the events of other workers, so that old events leave a short window."""
        source, clock = Refreshed(), FakeClock()
        tracker = SloTracker(source, clock)
        tracker.track(Acme)
        source.happen(100)
        for _ in range(60):
            clock.advance(INTERVAL)
            tracker.sample()
        rates = tracker.status(Acme.availability).burn_rates

        assert (None, 0.0) == (rates["5m"], rates["1h"])

    def test_status_does_not_wait_for_sample_of_other_slo(self) -> None:
        """A status does not wait for a heavy sample of another SLO."""
        clock, tracker, sampling = stuck_sample()
        clock.is_stuck = False

        assert "no_data" == tracker.status(Acme.steadiness).state
        assert sampling.is_alive()
        clock.release.set()
        sampling.join()


class TestRemovedSeries:
    def test_counted_events_of_removed_series_stay_counted(self) -> None:
        """Counted events of a removed series stay counted: a breached SLO stays breached."""
        bench = Bench()
        bench.happen(500, 500)
        bench.wait(INTERVAL)
        for instrument in (Acme.calls, Acme.failures):
            bench.live(instrument).remove()
        bench.wait(INTERVAL)

        assert Events(500.0, 1000.0) == bench.tracker.status(Acme.availability).events

    def test_series_that_returns_counts_from_zero(self) -> None:
        """The events of a series that returns count from zero, even if it grows beyond the old."""
        bench = Bench()
        bench.happen(0, 1000)
        bench.wait(HOUR + INTERVAL)
        bench.live(Acme.calls).remove()
        bench.happen(10, 0)
        after_reset = bench.tracker.status(Acme.availability)
        bench.wait(HOUR + INTERVAL)
        bench.live(Acme.calls).remove()
        bench.happen(20, 0)

        assert Fraction(100) == after_reset.burn_rates["1h"]
        assert Events(30.0, 1030.0) == bench.tracker.status(Acme.availability).events


class TestGap:
    def test_time_in_which_process_stood_still_is_not_counted(self) -> None:
        """The time in which the process stood still counts neither as good nor as bad."""
        bench = Bench()
        bench.live(Acme.level).set(1)
        bench.wait(100)
        bench.clock.advance(8 * HOUR)
        bench.live(Acme.level).set(0)
        bench.tracker.sample()
        bench.clock.advance(INTERVAL)

        assert Events(10.0, 110.0) == bench.tracker.status(Acme.steadiness).events

    def test_clock_that_goes_back_takes_no_time_away(self) -> None:
        """A clock that goes back takes no counted time away."""
        bench = Bench()
        bench.live(Acme.level).set(1)
        bench.wait(20)
        bench.clock.advance(-3600)
        bench.tracker.sample()

        assert Events(0.0, 20.0) == bench.tracker.status(Acme.steadiness).events


class TestTrack:
    def test_tracking_meta_repository_again_keeps_its_counts(self) -> None:
        """Tracking a meta-repository again keeps its counts."""
        bench = Bench()
        bench.happen(1, 1)
        bench.wait(60)
        bench.tracker.track(Acme)

        assert (1.0, 2.0) == bench.tracker.status(Acme.availability).events

    def test_slo_of_untracked_meta_repository_has_no_status(self) -> None:
        """The SLO of an untracked meta-repository has no status."""
        with pytest.raises(KeyError):
            Bench().tracker.status(Other.availability)

    def test_every_tracked_slo_has_status_in_order(self) -> None:
        """Every tracked SLO has a status, in order."""
        bench = Bench()
        bench.tracker.track(Other)

        assert [
            ("acme", Acme.availability),
            ("acme", Acme.steadiness),
            ("other", Other.availability),
        ] == [(status.repo, status.slo) for status in bench.tracker.statuses()]

    def test_covered_time_is_at_most_period(self) -> None:
        """The covered time is at most the period."""
        bench = Bench()
        bench.wait(60)
        early = bench.tracker.status(Acme.availability).covered
        for _ in range(8 * DAY // 60):
            bench.clock.advance(60)
            bench.tracker.sample()

        assert (60.0, 7.0 * DAY) == (early, bench.tracker.status(Acme.availability).covered)

    def test_time_in_which_process_stood_still_is_not_covered(self) -> None:
        """The time in which the process stood still is not covered."""
        bench = Bench()
        bench.wait(60)
        bench.clock.advance(8 * HOUR)
        bench.tracker.sample()
        bench.clock.advance(INTERVAL)

        assert 70.0 == bench.tracker.status(Acme.availability).covered

    def test_another_meta_repository_may_be_tracked_while_statuses_are_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another meta-repository may be tracked while statuses are read."""
        tracker = Bench().tracker
        read = tracker.status

        def status(slo: Slo) -> Status:
            tracker.track(Other)  # as another thread does, between two statuses
            return read(slo)

        monkeypatch.setattr(tracker, "status", status)

        assert "acme" == tracker.statuses()[0].repo
