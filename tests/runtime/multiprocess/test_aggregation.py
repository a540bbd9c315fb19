from __future__ import annotations

from operator import itemgetter

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess.aggregation import added, latest, within_limit
from otel_meta.runtime.recording.family import OVERFLOW

START = itemgetter(0)
Parts = dict[tuple[str, ...], tuple[tuple[int, int], ...]]

names = st.text("abc", max_size=3).map(lambda name: (name,))
found_series = st.dictionaries(
    names, st.lists(st.tuples(st.integers(0, 9), st.integers()), min_size=1).map(tuple)
)


class TestWithinLimit:
    @given(found=found_series, limit=st.integers(1, 5))
    def test_no_part_is_lost(self, found: Parts, limit: int) -> None:
        """No part is lost."""
        limited = within_limit(found, limit, START)

        assert sorted(part for parts in found.values() for part in parts) == sorted(
            part for parts in limited.values() for part in parts
        )

    @given(found=found_series, limit=st.integers(1, 5))
    def test_series_are_limited(self, found: Parts, limit: int) -> None:
        """At most as many series as the limit are kept apart from the overflow series."""
        limited = within_limit(found, limit, START)

        assert min(limit, len(found)) == len(limited.keys() - {OVERFLOW})

    @given(found=found_series, more=found_series, limit=st.integers(1, 5))
    def test_new_series_displace_none(self, found: Parts, more: Parts, limit: int) -> None:
        """A series within the limit stays within the limit when younger series begin."""
        later = {labels: tuple((100 + at, n) for at, n in parts) for labels, parts in more.items()}
        together = {labels: (*found.get(labels, ()), *parts) for labels, parts in later.items()}

        assert set(within_limit(found, limit, START)) - {OVERFLOW} <= set(
            within_limit(found | together, limit, START)
        )

    def test_overflow_joins_earlier_overflow(self) -> None:
        """Series over the limit join the parts of the overflow series."""
        parts: dict[tuple[str, ...], tuple[tuple[int, str], ...]] = {
            ("a",): ((1, "a"),),
            ("b",): ((2, "b"),),
            OVERFLOW: ((0, "before"),),
        }

        assert {("a",): ((1, "a"),), OVERFLOW: ((0, "before"), (2, "b"))} == within_limit(
            parts, 1, START
        )


class TestAggregation:
    def test_counts_are_added_by_bucket(self) -> None:
        """Counts are added bucket by bucket."""
        assert [4.0, 6.0] == added([[1.0, 2.0], [3.0, 4.0]])

    def test_gauge_takes_latest_value(self) -> None:
        """A gauge takes the value with the latest time."""
        assert [7.0, 20.0] == latest([[9.0, 10.0], [7.0, 20.0], [8.0, 0.0]])
