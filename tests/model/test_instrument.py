from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, UpDownCounter, labels
from otel_meta.errors import DeclarationError, NotBoundError
from otel_meta.model import Instrument, Ratio, Selector, Threshold, TimeSlice


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]


class Atlas(MetaRepo, name="atlas", owner="maps"):
    """Maps."""

    requests = Counter("atlas.requests", "Requests.", Request, unit="{request}")
    depth = UpDownCounter("atlas.depth", "Depth.", NoLabels)
    speed = Gauge("atlas.speed", "Speed.", NoLabels, unit="By/s")
    latency = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 1))


class TestInstrument:
    def test_parts(self) -> None:
        """An instrument keeps what was declared."""
        requests = Atlas.requests

        assert ("atlas.requests", "Requests.", "{request}", Request) == (
            requests.name,
            requests.description,
            requests.unit,
            requests.labels,
        )
        assert ["route", "method"] == [label.name for label in requests.label_fields]

    @pytest.mark.parametrize(
        ("instrument", "kind", "monotonic"),
        [
            (Atlas.requests, "counter", True),
            (Atlas.depth, "updowncounter", False),
            (Atlas.speed, "gauge", False),
            (Atlas.latency, "histogram", False),
        ],
    )
    def test_kind(self, instrument: Instrument[...], kind: str, *, monotonic: bool) -> None:
        """Only a counter is bound to rise."""
        assert (kind, monotonic) == (instrument.kind, instrument.monotonic)

    @pytest.mark.parametrize(
        ("instrument", "names"),
        [
            (Atlas.requests, ("atlas_requests_total",)),
            (Atlas.depth, ("atlas_depth",)),
            (Atlas.speed, ("atlas_speed_bytes_per_second",)),
            (
                Atlas.latency,
                (
                    "atlas_latency_seconds_bucket",
                    "atlas_latency_seconds_count",
                    "atlas_latency_seconds_sum",
                ),
            ),
        ],
    )
    def test_sample_names(self, instrument: Instrument[...], names: tuple[str, ...]) -> None:
        """An instrument knows the series that Prometheus has of it."""
        assert names == instrument.sample_names

    def test_repr(self) -> None:
        """It shows its kind and its name."""
        assert "Counter('atlas.requests')" == repr(Atlas.requests)

    def test_where(self) -> None:
        """Part of its series is a match."""
        assert Selector(Atlas.requests).where(method="GET") == Atlas.requests.where(method="GET")


class TestRefused:
    def test_name(self) -> None:
        """A name is checked where it is declared."""
        with pytest.raises(DeclarationError, match=r"metric 'atlas\.total'.*leave it out"):
            Counter("atlas.total", "Requests.", NoLabels)

    @pytest.mark.parametrize("description", ["", "Requests"])
    def test_description(self, description: str) -> None:
        """A metric that is not explained is refused."""
        with pytest.raises(DeclarationError, match=r"'atlas\.a': has no description; describe the"):
            Counter("atlas.a", description, NoLabels)

    @pytest.mark.parametrize("series", [0, -1])
    def test_max_series(self, series: int) -> None:
        """A metric that may have no series is refused."""
        with pytest.raises(DeclarationError, match=r"'atlas\.a': may have -?\d series; allow"):
            Counter("atlas.a", "Requests.", NoLabels, max_series=series)

    def test_labels(self) -> None:
        """Labels that were not declared as such are refused."""
        with pytest.raises(DeclarationError, match="dict: is not a set of labels; decorate it"):
            Counter("atlas.a", "Requests.", dict)


class TestBuckets:
    def test_floats(self) -> None:
        """Bounds are floats, so that every export path prints them alike."""
        assert ["0.1", "1.0"] == [str(bound) for bound in Atlas.latency.buckets]

    @given(st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), unique=True))
    def test_ascending(self, bounds: list[float]) -> None:
        """Any finite, ascending numbers above zero will do, as long as there is one."""
        buckets = tuple(sorted([*bounds, 1e308 if 1e308 not in bounds else 1.1e308]))

        assert buckets == Histogram("a.b", "Text.", NoLabels, buckets=buckets).buckets

    @pytest.mark.parametrize(
        "buckets",
        [(), (0, 1), (-1, 1), (1, 1), (2, 1), (1, math.inf), (math.nan,), (1, math.nan, 2)],
    )
    def test_refused(self, buckets: tuple[float, ...]) -> None:
        """Bounds at which OpenTelemetry would fail when recording are refused when declared."""
        with pytest.raises(DeclarationError, match=r"'a\.b': has the buckets \(.*\); give finite"):
            Histogram("a.b", "Text.", NoLabels, buckets=buckets)


class TestShorthand:
    def test_ratio_bad(self) -> None:
        """A counter and its bad part are a ratio."""
        bad = Atlas.requests.where(method="POST")

        assert Ratio(total=Selector(Atlas.requests), bad=bad) == Atlas.requests.ratio(bad=bad)

    def test_ratio_good(self) -> None:
        """A histogram counts events too, and a whole instrument may be the good part."""
        ratio = Ratio(total=Selector(Atlas.latency), good=Selector(Atlas.requests))

        assert ratio == Atlas.latency.ratio(good=Atlas.requests)

    def test_within(self) -> None:
        """A histogram and one of its bounds are a threshold."""
        assert Threshold(Selector(Atlas.latency), 0.1) == Atlas.latency.within(0.1)

    def test_at_least(self) -> None:
        """A gauge and a lower bound are time slices."""
        assert TimeSlice(Selector(Atlas.speed), at_least=3) == Atlas.speed.at_least(3)

    def test_at_most(self) -> None:
        """A gauge and an upper bound are time slices."""
        assert TimeSlice(Selector(Atlas.speed), at_most=3) == Atlas.speed.at_most(3)


class TestAccess:
    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_class(self, name: str) -> None:
        """Read from the class, an instrument is its declaration."""
        assert vars(Atlas)[name] is getattr(Atlas, name)

    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_not_bound(self, name: str) -> None:
        """Read from an instance that nothing has bound, it says how to get a live one."""
        with pytest.raises(
            NotBoundError, match=rf"atlas\.{name} is not bound.*telemetry\.bind\(Atlas\)"
        ):
            getattr(Atlas(), name)

    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_bound(self, name: str) -> None:
        """What an instance holds under the name wins over the declaration."""
        atlas, live = Atlas(), object()
        vars(atlas)[name] = live

        assert live is getattr(atlas, name)
