from __future__ import annotations

from typing import Literal, TypedDict

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


class Bounds(TypedDict, total=False):
    at_least: float
    at_most: float


values = st.floats(allow_nan=False)
bounds = st.floats(allow_nan=False, allow_infinity=False)


class TestRatio:
    def test_ratio_reads_total_and_counted_part(self) -> None:
        """A ratio reads the total and the counted part."""
        bad = REQUESTS.where(method="POST")

        assert [REQUESTS, bad] == list(Ratio(total=REQUESTS, bad=bad).selectors())
        assert list(Ratio(total=REQUESTS, good=LATENCY).selectors()) == [REQUESTS, LATENCY]

    @pytest.mark.parametrize("parts", [{}, {"bad": REQUESTS, "good": REQUESTS}])
    def test_ratio_has_exactly_one_of_bad_and_good(self, parts: dict[str, Selector]) -> None:
        """A ratio has exactly one of bad and good."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.requests': names both or neither .*give the part"
        ):
            Ratio(total=REQUESTS, **parts)

    @pytest.mark.parametrize("gauge", [SPEED, DEPTH])
    def test_ratio_accepts_only_counters_and_histograms(self, gauge: Selector) -> None:
        """A ratio accepts only counters and histograms."""
        with pytest.raises(DeclarationError, match=r"is a (gauge|updown.*); this SLI is for count"):
            Ratio(total=gauge, bad=REQUESTS)
        with pytest.raises(DeclarationError, match="this SLI is for counters and histograms"):
            Ratio(total=REQUESTS, bad=gauge)
        with pytest.raises(DeclarationError, match="this SLI is for counters and histograms"):
            Ratio(total=REQUESTS, good=gauge)


class TestThreshold:
    @pytest.mark.parametrize("bound", [0.1, 0.5, 60])
    def test_threshold_accepts_bound_of_bucket(self, bound: float) -> None:
        """A threshold accepts the bound of a bucket."""
        assert bound == Threshold(LATENCY, bound).bound

    @pytest.mark.parametrize("bound", [0.2, 0.10001, 61, 0])
    def test_bound_between_buckets_is_error_that_names_buckets(self, bound: float) -> None:
        """A bound between buckets is an error that names the buckets."""
        with pytest.raises(
            DeclarationError,
            match=rf"'atlas\.latency': has no bucket.* {bound:g}; add {bound:g} .*\[0\.1, 0\.5, 60",
        ):
            Threshold(LATENCY, bound)

    @pytest.mark.parametrize("match", [REQUESTS, SPEED, DEPTH])
    def test_threshold_accepts_only_histograms(self, match: Selector) -> None:
        """A threshold accepts only histograms."""
        with pytest.raises(DeclarationError, match="this SLI is for histograms"):
            Threshold(match, 0.1)

    def test_threshold_of_some_series_keeps_bound(self) -> None:
        """The threshold of some series keeps the bound."""
        part = Threshold(LATENCY, 0.1).where(method="GET")

        assert Threshold(LATENCY.where(method="GET"), 0.1) == part
        assert [LATENCY.where(method="GET")] == list(part.selectors())


class TestTimeSlice:
    @given(value=values, bound=bounds)
    def test_time_is_bad_while_value_is_below_lower_bound(self, value: float, bound: float) -> None:
        """Time is bad while the value is below the lower bound."""
        (outside,) = TimeSlice(SPEED, at_least=bound).bad_values

        assert (value < bound) == outside.holds(value)

    @given(value=values, bound=bounds)
    def test_time_is_bad_while_value_is_above_upper_bound(self, value: float, bound: float) -> None:
        """Time is bad while the value is above the upper bound."""
        (outside,) = TimeSlice(DEPTH, at_most=bound).bad_values

        assert (value > bound) == outside.holds(value)

    @pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most": 2}])
    def test_time_slice_has_exactly_one_bound(self, bounds: Bounds) -> None:
        """A time slice has exactly one bound."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.speed': have both or neither .*give one bound"
        ):
            TimeSlice(SPEED, **bounds)

    @pytest.mark.parametrize("match", [REQUESTS, LATENCY])
    def test_time_slice_accepts_only_gauges_and_up_down_counters(self, match: Selector) -> None:
        """A time slice accepts only gauges and up-down counters."""
        with pytest.raises(DeclarationError, match="this SLI is for gauges and updowncounters"):
            TimeSlice(match, at_least=1)

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_time_slice_of_some_series_keeps_bound_and_mode(self, bounds: Bounds) -> None:
        """The time slice of some series keeps bound and mode."""
        part = TimeSlice(SPEED, **bounds, series="worst").where(method="GET")

        assert TimeSlice(SPEED.where(method="GET"), **bounds, series="worst") == part
        assert [SPEED.where(method="GET")] == list(part.selectors())

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_default_mode_is_each_and_worst_changes_mode(self, bounds: Bounds) -> None:
        """The default mode is each, and worst changes the mode."""
        each = TimeSlice(SPEED, **bounds)

        assert "each" == each.series
        assert TimeSlice(SPEED, **bounds, series="worst") == each.worst()
