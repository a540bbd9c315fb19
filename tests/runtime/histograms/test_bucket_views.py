from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.model.bucket_bounds import exponential_bound, exponential_index, native_bounds
from otel_meta.runtime.histograms.bucket_views import BucketViews, ExponentialCounts, bucket_views
from otel_meta.runtime.recording.cells import HistogramCell
from otel_meta.runtime.recording.exemplars import Exemplar

BOUNDS = (0.1, 0.25, 1.0)
values = st.lists(st.floats(0, 2) | st.sampled_from(native_bounds(BOUNDS)), max_size=30)


def views() -> BucketViews:
    """Return the views of a native histogram."""
    return BucketViews(native_bounds(BOUNDS), BOUNDS)


def counts(recorded: list[float], bounds: tuple[float, ...]) -> list[int]:
    """Return the counts of a cell with these bounds after some recordings."""
    cell = HistogramCell((), bounds)
    for value in recorded:
        cell.record(value)
    return cell.snapshot()[0]


class TestDeclared:
    @given(values)
    def test_declared_buckets_are_those_of_cell_without_native(self, recorded: list[float]) -> None:
        """The declared buckets are those of a cell that counts by the declared bounds alone."""
        finer = counts(recorded, native_bounds(BOUNDS))

        assert counts(recorded, BOUNDS) == views().declared(finer)

    def test_exemplar_of_declared_bucket_is_its_latest(self) -> None:
        """The exemplar of a declared bucket is the latest of its finer buckets."""
        bounds = native_bounds(BOUNDS)
        early, late, other = (Exemplar(v, t, 1, 1) for v, t in ((0.2, 1), (0.15, 2), (9.0, 1)))
        found = {bisect_left(bounds, each.value): each for each in (late, early, other)}

        assert {1: late, 3: other} == views().declared_exemplars(found)

    def test_cell_with_declared_bounds_alone_has_one_view(self) -> None:
        """A cell that counts by the declared bounds alone has no other view."""
        assert bucket_views(BOUNDS, BOUNDS) is None


class TestExponential:
    @given(values)
    def test_each_value_is_in_exponential_bucket_of_its_size(self, recorded: list[float]) -> None:
        """Each value is in the exponential bucket of its size, and every value is counted."""
        found = views().exponential(counts(recorded, native_bounds(BOUNDS)))
        lowest, above = native_bounds(BOUNDS)[0], exponential_index(BOUNDS[-1]) + 1
        expected = Tally(min(exponential_index(v), above) for v in recorded if v > lowest)

        assert expected == by_index(found)
        assert len(recorded) == found.zero_count + expected.total()

    def test_values_outside_range_are_in_its_outer_buckets(self) -> None:
        """A value below the range is in the zero bucket; one above it is in the bucket above."""
        found = views().exponential(counts([0.0, 0.01, 500], native_bounds(BOUNDS)))

        assert (native_bounds(BOUNDS)[0], 2) == (found.zero_threshold, found.zero_count)
        assert {1: 1} == by_index(found)

    def test_empty_buckets_are_in_no_span(self) -> None:
        """Neighbours with values share a span; empty buckets are in none."""
        found = views().exponential(counts([0.5, 0.5, 0.51, 1.0], native_bounds(BOUNDS)))

        assert [(-8, (2, 1)), (0, (1,))] == [*found.spans]


def by_index(found: ExponentialCounts) -> dict[int, int]:
    """Return the counts of all buckets with values by index."""
    return {n: count for first, run in found.spans for n, count in enumerate(run, start=first)}


class TestBounds:
    @given(st.floats(1e-9, 1e9))
    def test_bucket_of_value_ends_at_or_above_it(self, value: float) -> None:
        """The exponential bucket of a value is the first that ends at or above the value."""
        index = exponential_index(value)

        assert exponential_bound(index - 1) < value <= exponential_bound(index)

    def test_bucket_is_at_most_ten_percent_wide(self) -> None:
        """A bucket between declared bounds is at most 10 % wide."""
        bounds = native_bounds((0.005, 0.3, 10.0))

        assert all(upper <= 1.1 * lower for lower, upper in pairwise(bounds))
        assert {0.005, 0.3, 10.0} <= {*bounds}

    @pytest.mark.parametrize(("bound", "first"), [(0.25, 0.25), (0.26, 0.25)])
    def test_range_begins_at_exponential_bound(self, bound: float, first: float) -> None:
        """The range begins at the last exponential bound that is not above the lowest declared."""
        assert first == native_bounds((bound, 1.0))[0]
