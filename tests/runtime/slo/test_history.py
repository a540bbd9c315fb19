from __future__ import annotations

import pickle
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta.runtime.slo.history import History, Sample

HOUR, DAY = 3600, 86_400
STEPS = ((1.2 * HOUR, 10), (7 * HOUR, 120), (3.1 * DAY, 600), (float("inf"), 1800))


def step_of(ago: float) -> int:
    """Return the step of the history at an age."""
    return next(step for reach, step in STEPS if ago <= reach)


def filled(start: float, spacing: int, count: int, period: float) -> History:
    """Return a history with regular samples, each with the number of samples so far."""
    history = History(period, [Sample(start, 0.0, 0.0, 0.0)])
    for number in range(1, count + 1):
        history.add(sample(start + number * spacing, number))
    return history


def sample(at: float, total: float) -> Sample:
    """Return a sample with this number of good events."""
    return Sample(at, 0.0, float(total), 0.0)


class TestBefore:
    def test_new_history_has_start_with_zero_counts(self) -> None:
        """A new history has the start, with zero counts."""
        assert sample(5.0, 0) == filled(5.0, 10, 0, DAY).before(1000.0)

    def test_moment_before_start_has_counts_of_start(self) -> None:
        """A moment before the start has the counts of the start."""
        assert sample(100.0, 0) == filled(100.0, 10, 5, DAY).before(99.0)

    def test_sample_at_moment_itself_is_found(self) -> None:
        """A sample at the moment itself is found."""
        assert sample(30.0, 3) == filled(0.0, 10, 9, DAY).before(30.0)

    def test_between_two_samples_earlier_one_is_found(self) -> None:
        """Between two samples the earlier one is found."""
        assert sample(30.0, 3) == filled(0.0, 10, 9, DAY).before(39.9)

    def test_after_last_sample_last_one_is_found(self) -> None:
        """After the last sample the last one is found."""
        assert sample(90.0, 9) == filled(0.0, 10, 9, DAY).before(10_000.0)

    @settings(max_examples=25)
    @given(
        start=st.integers(0, 10**6),
        days=st.floats(0.01, 12),
        data=st.data(),
    )
    def test_counts_of_any_moment_are_at_most_one_step_older(
        self, start: int, days: float, data: st.DataObject
    ) -> None:
        """The counts of any moment are at most one step older."""
        spacing, period = 60, 7 * DAY
        count = int(days * DAY) // spacing
        history = filled(float(start), spacing, count, period)
        now = start + count * spacing
        for _ in range(20):
            ago = data.draw(st.floats(0, period))
            found = history.before(now - ago)
            expected = max(now - ago, start)

            assert found.at <= expected
            assert expected - found.at < max(spacing, step_of(ago))
            assert (found.at - start) / spacing == found.total

    def test_every_ten_second_sample_of_last_hour_is_kept(self) -> None:
        """Every ten-second sample of the last hour is kept."""
        history = filled(0.0, 10, 3 * 360, DAY)

        assert [history.before(3 * HOUR - ago).at for ago in range(0, HOUR, 10)] == [
            3.0 * HOUR - ago for ago in range(0, HOUR, 10)
        ]


def covering(start: float) -> History:
    """Return the history of a process that runs for a minute."""
    return History(DAY, [Sample(start + each, 0.0, 0.0, each) for each in range(0, 70, 10)])


class TestJoined:
    def test_joined_history_has_events_of_both_at_every_moment(self) -> None:
        """A joined history has the events of both at every moment, from the later start on."""
        earlier, later = filled(0.0, 10, 6, DAY), filled(35.0, 10, 5, DAY)
        joined = earlier.joined(later)

        assert [0, 3, 4, 6, 10, 11] == [
            joined.before(moment).total for moment in (0, 30, 40, 50, 75, 99)
        ]

    def test_joined_history_covers_second_once(self) -> None:
        """Seconds that both processes covered are covered once, and a gap is not covered."""
        earlier = covering(0.0)
        covered = [earlier.joined(covering(start)).last.covered for start in (45.0, 100.0)]

        assert [105.0, 120.0] == [pytest.approx(each, abs=10) for each in covered]


class TestSize:
    def test_thirty_days_of_samples_take_less_than_100_kilobytes(self) -> None:
        """The 10-second samples of 30 days take less than 100 kB: 2,500 samples of 32 bytes."""
        filled_up = filled(0.0, 60, 30 * 1440, 30 * DAY)
        for number in range(1, 720):
            filled_up.add(sample(30.0 * DAY + 10 * number, 30 * 1440 + number))
        tracemalloc.start()
        history = filled_up.copy(30 * DAY)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert 2000 < len(history) < 2700
        assert size < 100_000

    def test_two_periods_of_samples_take_no_more_memory_than_one(self) -> None:
        """Two periods of samples take no more memory than one."""
        one = filled(0.0, 600, 31 * 144, 30 * DAY)
        two = filled(0.0, 600, 62 * 144, 30 * DAY)

        assert len(pickle.dumps(one)) >= len(pickle.dumps(two))

    def test_counts_of_one_period_ago_are_known_after_many_periods(self) -> None:
        """Counts of one period ago are known after many periods."""
        history = filled(0.0, 600, 30 * 144, 7 * DAY)
        at = history.before(23.0 * DAY).at

        assert 23.0 * DAY - 1800 <= at <= 23.0 * DAY
