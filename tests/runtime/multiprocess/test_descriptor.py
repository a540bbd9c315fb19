from __future__ import annotations

import orjson
import pytest

from otel_meta import Counter, Gauge, Histogram, NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.instrument import Instrument
from otel_meta.repos import BUILTIN
from otel_meta.runtime.multiprocess.descriptor import (
    MetricDescriptor,
    describe,
    descriptor_from_json,
    instrument_of,
)
from otel_meta.runtime.multiprocess.merged_metric import conversion

NATIVE = Histogram("atlas.drawing", "Time.", NoLabels, buckets=(0.1, 1), native=True)
CLASSIC = Histogram("atlas.drawing", "Time.", NoLabels, buckets=(0.1, 1))
INSTRUMENTS = [instrument for _, instrument in BUILTIN.instruments()]


def through_json(descriptor: MetricDescriptor) -> MetricDescriptor:
    """Write a descriptor to JSON and read it back."""
    return descriptor_from_json(orjson.loads(descriptor.as_json()))


class TestMetricDescriptor:
    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=str)
    def test_json_round_trip(self, instrument: Instrument[...]) -> None:
        """A descriptor survives the round trip through JSON."""
        assert describe(instrument) == through_json(describe(instrument))

    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=str)
    def test_instrument_is_exposed_alike(self, instrument: Instrument[...]) -> None:
        """The instrument of a descriptor is exposed like the declared instrument."""
        read = instrument_of(through_json(describe(instrument)))

        assert instrument.kind == read.kind
        assert instrument.prometheus_name == read.prometheus_name
        assert instrument.sample_names == read.sample_names
        assert instrument.description == read.description
        assert [f.name for f in instrument.label_fields] == [f.name for f in read.label_fields]

    def test_equal_descriptors_share_instrument(self) -> None:
        """Equal descriptors have the same instrument object."""
        descriptor = describe(INSTRUMENTS[0])

        assert instrument_of(through_json(descriptor)) is instrument_of(descriptor)

    def test_unknown_fields_are_ignored(self) -> None:
        """A field of a newer version is ignored."""
        descriptor = describe(INSTRUMENTS[0])
        newer = {**orjson.loads(descriptor.as_json()), "colour": "red"}

        assert descriptor == descriptor_from_json(newer)

    def test_instrument_limit_comes_first(self) -> None:
        """The cardinality limit of the instrument comes before the limit of the telemetry."""
        limited = Counter("atlas.tiles", "Tiles.", NoLabels, max_series=7)

        assert 7 == describe(limited, 9).max_series

    def test_default_limit_is_telemetrys(self) -> None:
        """Without a limit of its own, an instrument has the limit of the telemetry."""
        unlimited = Counter("atlas.tiles", "Tiles.", NoLabels)

        assert 9 == describe(unlimited, 9).max_series

    def test_gauge_per_worker_has_worker_label(self) -> None:
        """A gauge with one series a worker gains the label worker."""
        gauge = Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="all")

        assert ["worker"] == [f.name for f in instrument_of(describe(gauge)).label_fields]


class TestNative:
    def test_native_histogram_survives_round_trip(self) -> None:
        """A native histogram is read back as native, with its declared buckets."""
        assert NATIVE == instrument_of(through_json(describe(NATIVE)))

    def test_numbers_of_native_and_other_histogram_are_never_added_by_position(self) -> None:
        """The series of a native histogram and of another are converted before they are added."""
        native, classic = describe(NATIVE), describe(CLASSIC)

        assert native.merge_key != classic.merge_key
        assert native.width == len(NATIVE.counted_bounds) + 2
        assert conversion(native, classic).buckets is not None
        assert conversion(classic, native).buckets is not None


class TestMultiprocessMode:
    def test_unknown_mode_is_refused(self) -> None:
        """An unknown mode is refused in the declaration."""
        with pytest.raises(DeclarationError, match="choose one of 'mostrecent', 'sum', 'max'"):
            Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="mean")  # type: ignore[arg-type]

    def test_worker_label_is_reserved(self) -> None:
        """A gauge with one series a worker cannot declare a label worker."""

        @labels
        class Own:
            worker: str

        with pytest.raises(DeclarationError, match="rename the label"):
            Gauge("atlas.zoom", "Zoom.", Own, multiprocess_mode="all")
