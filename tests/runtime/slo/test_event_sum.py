from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.slo.event_sum import EventSum, SeriesCount

SECOND = 10**9


def series(label: str, events: float, start: int = 0) -> SeriesCount:
    """Return the count of a series that started at this second."""
    return SeriesCount((label,), start * SECOND, events)


class TestUpdate:
    @given(st.lists(st.integers(0, 9), min_size=1))
    def test_sum_is_increase_of_promql(self, values: list[int]) -> None:
        """The sum of one series is its first value and all increases, as in PromQL."""
        sums = EventSum()
        for value in values:
            total = sums.update([series("a", value)]).ever
        increases = [b - a if b >= a else b for a, b in pairwise(values)]

        assert values[0] + sum(increases) == total

    def test_series_that_is_missing_for_moment_is_not_counted_twice(self) -> None:
        """A series that is missing for a moment is not counted twice."""
        sums = EventSum()
        found = [
            [series("a", 5), series("b", 1)],
            [series("b", 2)],
            [series("a", 6), series("b", 2)],
        ]

        assert [6.0, 7.0, 8.0] == [sums.update(each).ever for each in found]

    def test_later_start_is_another_series(self) -> None:
        """A series with a later start counts from zero, whatever its value."""
        sums = EventSum()
        sums.update([series("a", 5, start=1)])

        assert 12.0 == sums.update([series("a", 7, start=2)]).ever

    def test_endless_series_take_little_memory(self) -> None:
        """The memory for series that are removed for good is limited, and their events stay."""
        sums = EventSum()
        for number in range(5000):
            total = sums.update([series(str(number), 1)]).ever

        assert 5000.0 == total
        assert len(sums._known) < 3000
