from __future__ import annotations

from typing import Literal, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import (
    Counter,
    DeclarationError,
    Gauge,
    Histogram,
    Ratio,
    Selector,
    Threshold,
    TimeSlice,
    UpDownCounter,
    labels,
)


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


class TestRatio:
    def test_matches(self) -> None:
        """A ratio looks at all events and at the part that is counted."""
        bad = REQUESTS.where(method="POST")

        assert [REQUESTS, bad] == list(Ratio(total=REQUESTS, bad=bad).selectors())
        assert list(Ratio(total=REQUESTS, good=LATENCY).selectors()) == [REQUESTS, LATENCY]

    @pytest.mark.parametrize("parts", [{}, {"bad": REQUESTS, "good": REQUESTS}])
    def test_parts(self, parts: dict[str, Selector]) -> None:
        """Both parts could disagree, and neither says nothing: exactly one is wanted."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.requests': names both or neither .*give the part"
        ):
            Ratio(total=REQUESTS, **parts)

    @pytest.mark.parametrize("gauge", [SPEED, DEPTH])
    def test_kind(self, gauge: Selector) -> None:
        """What is not counted in events is no part of a ratio."""
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
    def test_bound(self, bound: float) -> None:
        """A bound at which a bucket ends is kept."""
        assert bound == Threshold(LATENCY, bound).bound

    @pytest.mark.parametrize("bound", [0.2, 0.10001, 61, 0])
    def test_no_bucket(self, bound: float) -> None:
        """A bound at which none ends cannot be judged from buckets: the message names those."""
        with pytest.raises(
            DeclarationError,
            match=rf"'atlas\.latency': has no bucket.* {bound:g}; add {bound:g} .*\[0\.1, 0\.5, 60",
        ):
            Threshold(LATENCY, bound)

    @pytest.mark.parametrize("match", [REQUESTS, SPEED, DEPTH])
    def test_kind(self, match: Selector) -> None:
        """Only a histogram has buckets."""
        with pytest.raises(DeclarationError, match="this SLI needs a histogram"):
            Threshold(match, 0.1)

    def test_where(self) -> None:
        """Part of the series has the same bound."""
        part = Threshold(LATENCY, 0.1).where(method="GET")

        assert Threshold(LATENCY.where(method="GET"), 0.1) == part
        assert [LATENCY.where(method="GET")] == list(part.selectors())


class TestTimeSlice:
    @given(value=values, bound=values)
    def test_at_least(self, value: float, bound: float) -> None:
        """Time is bad while the value is below the lower bound."""
        (outside,) = TimeSlice(SPEED, at_least=bound).bad_values

        assert (value < bound) == outside.holds(value)

    @given(value=values, bound=values)
    def test_at_most(self, value: float, bound: float) -> None:
        """Time is bad while the value is above the upper bound."""
        (outside,) = TimeSlice(DEPTH, at_most=bound).bad_values

        assert (value > bound) == outside.holds(value)

    @pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most": 2}])
    def test_bounds(self, bounds: Bounds) -> None:
        """Exactly one bound is wanted."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.speed': have both or neither .*give one bound"
        ):
            TimeSlice(SPEED, **bounds)

    @pytest.mark.parametrize("match", [REQUESTS, LATENCY])
    def test_kind(self, match: Selector) -> None:
        """Only a value that stays has time slices."""
        with pytest.raises(DeclarationError, match="this SLI needs a gauge or a updowncounter"):
            TimeSlice(match, at_least=1)

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_where(self, bounds: Bounds) -> None:
        """Part of the series is judged by the same bound, in the same way."""
        part = TimeSlice(SPEED, **bounds, series="worst").where(method="GET")

        assert TimeSlice(SPEED.where(method="GET"), **bounds, series="worst") == part
        assert [SPEED.where(method="GET")] == list(part.selectors())

    @pytest.mark.parametrize("bounds", [{"at_least": 1}, {"at_most": 1}])
    def test_worst(self, bounds: Bounds) -> None:
        """Each series is judged by itself, until the worst is asked for."""
        each = TimeSlice(SPEED, **bounds)

        assert "each" == each.series
        assert TimeSlice(SPEED, **bounds, series="worst") == each.worst()
