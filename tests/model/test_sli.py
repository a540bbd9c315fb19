from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.errors import DeclarationError
from otel_meta.model import Ratio, Selector, Threshold, TimeSlice


@labels
class Request:
    method: Literal["GET", "POST"]


REQUESTS = Selector(Counter("atlas.requests", "Requests.", Request))
LATENCY = Selector(
    Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 0.5, 60))
)
SPEED = Selector(Gauge("atlas.speed", "Speed.", Request))
DEPTH = Selector(UpDownCounter("atlas.depth", "Depth.", Request))

values = st.floats(allow_nan=False)


class TestRatio:
    def test_ratio_reads_all_events_and_counted_part(self) -> None:
        """A ratio reads all events and the counted part."""
        bad = REQUESTS.where(method="POST")

        assert [REQUESTS, bad] == list(Ratio(total=REQUESTS, bad=bad).selectors())
        assert list(Ratio(total=REQUESTS, good=LATENCY).selectors()) == [REQUESTS, LATENCY]

    @pytest.mark.parametrize("parts", [{}, {"bad": REQUESTS, "good": REQUESTS}])
    def test_both_parts_or_no_part_are_refused(self, parts: dict[str, Selector]) -> None:
        """Both parts or no part are refused."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.requests': names both or neither .*give the part"
        ):
            Ratio(total=REQUESTS, **parts)

    @pytest.mark.parametrize("gauge", [SPEED, DEPTH])
    def test_instrument_that_counts_no_events_is_refused_in_ratio(self, gauge: Selector) -> None:
        """An instrument that counts no events is refused in a ratio."""
        with pytest.raises(
            DeclarationError, match=r"is a (gauge|updown.*); this SLI needs a count"
        ):
            Ratio(total=gauge, bad=REQUESTS)
        with pytest.raises(DeclarationError, match="this SLI needs a counter or a histogram"):
            Ratio(total=REQUESTS, bad=gauge)
        with pytest.raises(DeclarationError, match="this SLI needs a counter or a histogram"):
            Ratio(total=REQUESTS, good=gauge)


class TestThreshold:
    @pytest.mark.parametrize("bound", [0.1, 0.5, 60])
    def test_bound_at_end_of_bucket_is_accepted(self, bound: float) -> None:
        """A bound at the end of a bucket is accepted."""
        assert bound == Threshold(LATENCY, bound).bound

    @pytest.mark.parametrize("bound", [0.2, 0.10001, 61, 0])
    def test_bound_at_no_end_of_bucket_is_refused_with_buckets(self, bound: float) -> None:
        """A bound at no end of a bucket is refused with the buckets."""
        with pytest.raises(
            DeclarationError,
            match=rf"'atlas\.latency': has no bucket.* {bound:g}; add {bound:g} .*\[0\.1, 0\.5, 60",
        ):
            Threshold(LATENCY, bound)

    @pytest.mark.parametrize("match", [REQUESTS, SPEED, DEPTH])
    def test_instrument_other_than_histogram_is_refused_in_threshold(self, match: Selector) -> None:
        """An instrument other than a histogram is refused in a threshold."""
        with pytest.raises(DeclarationError, match="this SLI needs a histogram"):
            Threshold(match, 0.1)

    def test_threshold_of_selected_series_has_same_bound(self) -> None:
        """A threshold of selected series has the same bound."""
        part = Threshold(LATENCY, 0.1).where(method="GET")

        assert Threshold(LATENCY.where(method="GET"), 0.1) == part
        assert [LATENCY.where(method="GET")] == list(part.selectors())


class TestTimeSlice:
    @given(value=values, bound=values)
    def test_value_below_lower_bound_is_bad(self, value: float, bound: float) -> None:
        """A value below a lower bound is bad."""
        (outside,) = TimeSlice(SPEED, at_least=bound).bad_values

        assert (value < bound) == outside.holds(value)

    @given(value=values, bound=values)
    def test_value_above_upper_bound_is_bad(self, value: float, bound: float) -> None:
        """A value above an upper bound is bad."""
        (outside,) = TimeSlice(DEPTH, at_most=bound).bad_values

        assert (value > bound) == outside.holds(value)

    @pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most": 2}])
    def test_both_bounds_or_no_bound_are_refused(self, bounds: dict[str, float]) -> None:
        """Both bounds or no bound are refused."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.speed': have both or neither .*give one bound"
        ):
            TimeSlice(SPEED, bounds.get("at_least"), bounds.get("at_most"))

    @pytest.mark.parametrize("match", [REQUESTS, LATENCY])
    def test_instrument_without_current_value_is_refused_in_time_slices(
        self, match: Selector
    ) -> None:
        """An instrument without a current value is refused in time slices."""
        with pytest.raises(DeclarationError, match="this SLI needs a gauge or a updowncounter"):
            TimeSlice(match, at_least=1)

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_time_slices_of_selected_series_have_same_bound_and_mode(
        self, bounds: dict[str, float]
    ) -> None:
        """Time slices of selected series have the same bound and mode."""
        part = TimeSlice(SPEED, **bounds, series="worst").where(method="GET")

        assert TimeSlice(SPEED.where(method="GET"), **bounds, series="worst") == part
        assert [SPEED.where(method="GET")] == list(part.selectors())

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_each_series_has_slices_unless_the_worst_counts(self, bounds: dict[str, float]) -> None:
        """Each series has slices of its own unless the worst series counts."""
        each = TimeSlice(SPEED, bounds.get("at_least"), bounds.get("at_most"))

        assert "each" == each.series
        assert TimeSlice(SPEED, **bounds, series="worst") == each.worst()
