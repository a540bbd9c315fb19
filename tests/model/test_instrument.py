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
    failures = Counter("atlas.failures", "Failures.", Request, unit="{request}")
    depth = UpDownCounter("atlas.depth", "Depth.", NoLabels)
    queue = UpDownCounter("atlas.queue", "Queue.", Request)
    speed = Gauge("atlas.speed", "Speed.", NoLabels, unit="By/s")
    latency = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 1))


class TestInstrument:
    def test_instrument_has_its_arguments_as_attributes(self) -> None:
        """An instrument has its arguments as attributes."""
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
    def test_only_counter_is_monotonic(
        self, instrument: Instrument[...], kind: str, *, monotonic: bool
    ) -> None:
        """Only a counter is monotonic."""
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
    def test_instrument_knows_names_of_its_samples_in_prometheus(
        self, instrument: Instrument[...], names: tuple[str, ...]
    ) -> None:
        """An instrument knows the names of its samples in Prometheus."""
        assert names == instrument.sample_names

    def test_repr_shows_kind_and_name(self) -> None:
        """The repr shows the kind and the name."""
        assert "Counter('atlas.requests')" == repr(Atlas.requests)

    def test_selection_of_series_is_selector(self) -> None:
        """A selection of series is a selector."""
        assert Selector(Atlas.requests).where(method="GET") == Atlas.requests.where(method="GET")


class TestRefused:
    def test_invalid_name_is_refused_at_declaration(self) -> None:
        """An invalid name is refused at declaration."""
        with pytest.raises(DeclarationError, match=r"metric 'atlas\.total'.*leave the word out"):
            Counter("atlas.total", "Requests.", NoLabels)

    @pytest.mark.parametrize("description", ["", " \n", "x", "...", "-"])
    def test_metric_without_description_is_refused(self, description: str) -> None:
        """A metric without a description is refused."""
        with pytest.raises(
            DeclarationError, match=r"'atlas\.a': has .* description.*; describe in"
        ):
            Counter("atlas.a", description, NoLabels)

    @pytest.mark.parametrize("series", [0, -1])
    def test_cardinality_limit_below_one_is_refused(self, series: int) -> None:
        """A cardinality limit below one is refused."""
        with pytest.raises(
            DeclarationError,
            match=r"'atlas\.a': has the max_series -?\d; give a whole number of at least 1",
        ):
            Counter("atlas.a", "Requests.", NoLabels, max_series=series)

    def test_class_that_is_not_decorated_with_labels_is_refused(self) -> None:
        """A class that is not decorated with labels is refused."""
        with pytest.raises(DeclarationError, match="dict: is not a set of labels; decorate it"):
            Counter("atlas.a", "Requests.", dict)


class TestBuckets:
    def test_bounds_become_floats_so_every_export_path_prints_equal_bounds(self) -> None:
        """Bounds become floats, so every export path prints equal bounds."""
        assert ["0.1", "1.0"] == [str(bound) for bound in Atlas.latency.buckets]

    @given(st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), unique=True))
    def test_finite_ascending_numbers_above_zero_are_accepted_as_bounds(
        self, bounds: list[float]
    ) -> None:
        """Finite, ascending numbers above zero are accepted as bounds."""
        buckets = tuple(sorted([*bounds, 1e308 if 1e308 not in bounds else 1.1e308]))

        assert buckets == Histogram("a.b", "Text.", NoLabels, buckets=buckets).buckets

    @pytest.mark.parametrize(
        "buckets",
        [(), (0, 1), (-1, 1), (1, 1), (2, 1), (1, math.inf), (math.nan,), (1, math.nan, 2)],
    )
    def test_bounds_that_opentelemetry_would_reject_are_refused(
        self, buckets: tuple[float, ...]
    ) -> None:
        """Bounds that OpenTelemetry would reject while recording are refused."""
        with pytest.raises(DeclarationError, match=r"'a\.b': has the buckets \(.*\); give finite"):
            Histogram("a.b", "Text.", NoLabels, buckets=buckets)

    def test_native_is_true_or_false(self) -> None:
        """A histogram is native or not: a text is neither."""
        with pytest.raises(DeclarationError, match="has native='no'; give True or False"):
            Histogram("a.b", "Text.", NoLabels, buckets=(1,), native="no")  # type: ignore[arg-type]

    def test_native_range_has_limit(self) -> None:
        """Native buckets from 1 to 1e18 would take 480 numbers a series, and are refused."""
        with pytest.raises(DeclarationError, match="choose a lowest bound closer to the highest"):
            Histogram("a.b", "Text.", NoLabels, buckets=(1, 1e18), native=True)


class TestShorthand:
    def test_counter_and_bad_events_among_its_events_make_ratio(self) -> None:
        """A counter and the bad events among its events make a ratio."""
        bad = Atlas.requests.where(method="POST")

        assert Ratio(total=Selector(Atlas.requests), bad=bad) == Atlas.requests.ratio(bad=bad)

    def test_histogram_and_instrument_of_good_events_make_ratio(self) -> None:
        """A histogram and an instrument of good events make a ratio."""
        ratio = Ratio(total=Selector(Atlas.latency), good=Selector(Atlas.requests))

        assert ratio == Atlas.latency.ratio(good=Atlas.requests)

    def test_histogram_and_one_of_its_bounds_make_threshold(self) -> None:
        """A histogram and one of its bounds make a threshold."""
        assert Threshold(Selector(Atlas.latency), 0.1) == Atlas.latency.within(0.1)

    def test_gauge_and_lower_bound_make_time_slices(self) -> None:
        """A gauge and a lower bound make time slices."""
        assert TimeSlice(Selector(Atlas.speed), at_least=3) == Atlas.speed.at_least(3)

    def test_gauge_and_upper_bound_make_time_slices(self) -> None:
        """A gauge and an upper bound make time slices."""
        assert TimeSlice(Selector(Atlas.speed), at_most=3) == Atlas.speed.at_most(3)


class TestOrder:
    """Selections and indicators can be written in either order."""

    def test_bound_of_selected_series_is_selected_bound(self) -> None:
        """A bound of selected series equals the selection of a bound."""
        selected = Atlas.latency.where(method="GET")

        assert Atlas.latency.within(0.1).where(method="GET") == selected.within(0.1)

    def test_ratio_of_selected_series_is_selected_ratio(self) -> None:
        """A ratio within selected series equals the selection of a ratio."""
        selected = Atlas.requests.where(method="GET")

        assert selected.ratio(bad=Atlas.failures.where(method="GET")) == Atlas.requests.ratio(
            bad=Atlas.failures
        ).where(method="GET")

    def test_time_slices_of_selected_series_are_selected_time_slices(self) -> None:
        """Time slices of selected series equal the selection of time slices."""
        selected = Atlas.queue.where(method="GET")

        assert Atlas.queue.at_least(3).where(method="GET") == selected.at_least(3)
        assert Atlas.queue.at_most(3).where(method="GET") == selected.at_most(3)

    @pytest.mark.parametrize(
        ("declared", "method", "kinds"),
        [
            ("requests", "within", "histograms, not counters"),
            ("depth", "ratio", "counters and histograms, not updowncounters"),
            ("latency", "at_most", "gauges and updowncounters, not histograms"),
        ],
    )
    def test_indicator_of_another_kind_is_an_error_with_the_right_kinds(
        self, declared: str, method: str, kinds: str
    ) -> None:
        """An indicator of another kind is an error that names the right kinds."""
        with pytest.raises(AttributeError, match=rf"{method}\(\) is for {kinds}"):
            getattr(getattr(Atlas, declared), method)


class TestAccess:
    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_attribute_of_class_is_declaration(self, name: str) -> None:
        """An attribute of the class is the declaration."""
        assert vars(Atlas)[name] is getattr(Atlas, name)

    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_attribute_of_unbound_instance_is_an_error(self, name: str) -> None:
        """An attribute of an unbound instance is an error that names telemetry.bind."""
        with pytest.raises(
            NotBoundError, match=rf"atlas\.{name} is not bound.*telemetry\.bind\(Atlas\)"
        ):
            getattr(Atlas(), name)

    @pytest.mark.parametrize(
        ("name", "method"),
        [("requests", "add"), ("depth", "add"), ("speed", "set"), ("latency", "record")],
    )
    def test_recording_on_declaration_is_an_error(self, name: str, method: str) -> None:
        """A recording on the declaration is an error that names telemetry.bind."""
        declared = getattr(Atlas, name)

        assert not hasattr(declared, method)
        with pytest.raises(
            NotBoundError,
            match=rf"{declared.name} is a declaration.* {method}\(\).*telemetry\.bind",
        ):
            getattr(declared, method)(1)

    def test_unknown_attribute_of_declaration_is_an_attribute_error(self) -> None:
        """An unknown attribute of a declaration is the error that Python raises for any object."""
        with pytest.raises(
            AttributeError, match=r"'Counter' object has no attribute 'rati'"
        ) as caught:
            Atlas.requests.rati  # type: ignore[attr-defined]  # noqa: B018

        assert ("rati", Atlas.requests) == (caught.value.name, caught.value.obj)
        assert not isinstance(caught.value, NotBoundError)

    @pytest.mark.parametrize("name", ["requests", "depth", "speed", "latency"])
    def test_value_in_dictionary_of_instance_wins_over_declaration(self, name: str) -> None:
        """A value in the dictionary of an instance wins over the declaration."""
        atlas, live = Atlas(), object()
        vars(atlas)[name] = live

        assert live is getattr(atlas, name)
