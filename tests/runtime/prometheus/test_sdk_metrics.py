from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    InMemoryMetricReader,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT
from otel_meta.runtime.prometheus.page import render
from otel_meta.runtime.prometheus.sdk_metrics import families_of

Faults = list[tuple[str, str]]


def page(collected: Any, faults: Faults | None = None, written: Any = TEXT) -> list[str]:
    """The lines of a page of what was collected, without those before the series."""
    told = [] if faults is None else faults
    families = families_of(
        collected, (("service_name", "maps"),), lambda m, r, _: told.append((m, r))
    )
    text = b"".join(render(families, written, lambda m, r, _: told.append((m, r)))).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def collected(measure: Callable[[MeterProvider], object], views: Iterable[View] = ()) -> Any:
    """What the SDK has after some measurements."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], Resource({}), views=views)
    measure(provider)
    data = reader.get_metrics_data()
    provider.shutdown()
    return data


def measured(measure: Callable[[Meter], object], *views: View) -> Any:
    """The same, by one library."""
    return collected(lambda provider: measure(provider.get_meter("one")), views)


def points(*data: tuple[str, Any]) -> MetricsData:
    """Metrics as somebody else's producer may hand them over."""
    metrics = [Metric(name, "", "", each) for name, each in data]
    scope = ScopeMetrics(InstrumentationScope("one"), metrics, "")
    return MetricsData([ResourceMetrics(Resource({}), [scope], "")])


class TestKinds:
    def test_numbers(self) -> None:
        """Counters, up-down counters and gauges are shown under their names, with the identity."""

        def measure(meter: Meter) -> None:
            meter.create_counter("a.b", unit="s").add(2, {"k": "v"})
            meter.create_up_down_counter("c", unit="1").add(-2)
            meter.create_gauge("d", unit="1").set(0.5)

        assert [
            'a_b_seconds_total{k="v",service_name="maps"} 2.0',
            'c{service_name="maps"} -2.0',
            'd_ratio{service_name="maps"} 0.5',
        ] == page(measured(measure))

    def test_histogram(self) -> None:
        """Histograms are shown with bounds that are floats, whatever they were given as."""

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1, 2])
            histogram.record(1.5)

        assert [
            'a_bucket{service_name="maps",le="1.0"} 0',
            'a_bucket{service_name="maps",le="2.0"} 1',
            'a_bucket{service_name="maps",le="+Inf"} 1',
            'a_count{service_name="maps"} 1',
            'a_sum{service_name="maps"} 1.5',
        ] == page(measured(measure))

    def test_exponential(self) -> None:
        """An exponential histogram is left out and told of; the others are shown."""

        def measure(meter: Meter) -> None:
            meter.create_histogram("a").record(1)
            meter.create_counter("b").add(1)

        faults: Faults = []
        view = View(instrument_name="a", aggregation=ExponentialBucketHistogramAggregation())

        assert ['b_total{service_name="maps"} 1.0'] == page(measured(measure, view), faults)
        assert [("a", "not exposed")] == faults

    def test_delta(self) -> None:
        """So is a delta, which would look like a total."""
        delta = Sum([NumberDataPoint({}, 0, 0, 1)], AggregationTemporality.DELTA, True)
        faults: Faults = []

        assert [] == page(points(("a", delta)), faults)
        assert [("a", "not exposed")] == faults

    def test_no_number(self) -> None:
        """So is a value that is no number."""
        odd: Any = Gauge([NumberDataPoint({}, 0, 0, "one")])  # type: ignore[arg-type]
        faults: Faults = []

        assert ['b{service_name="maps"} 1.0'] == page(
            points(("a", odd), ("b", Gauge([NumberDataPoint({}, 0, 0, 1)]))), faults
        )
        assert [("a", "not exposed")] == faults

    @pytest.mark.parametrize("value", [math.nan, -1.0])
    def test_no_count(self, value: float) -> None:
        """A counter's series that cannot be one is left out and told of, and its others shown."""
        odd, fine = (
            NumberDataPoint({"k": "odd"}, 0, 0, value),
            NumberDataPoint({"k": "fine"}, 0, 0, 1),
        )
        total = Sum([odd, fine], AggregationTemporality.CUMULATIVE, True)
        faults: Faults = []

        assert ['a_total{k="fine",service_name="maps"} 1.0'] == page(points(("a", total)), faults)
        assert [("a", "value")] == faults

    @pytest.mark.parametrize(
        ("value", "text"),
        [(math.inf, "+Inf"), (math.nan, "NaN"), (10**400, "+Inf"), (-(10**400), "-Inf")],
    )
    def test_odd_gauge(self, value: float, text: str) -> None:
        """A gauge may be anything."""
        assert [f'a{{service_name="maps"}} {text}'] == page(
            points(("a", Gauge([NumberDataPoint({}, 0, 0, value)])))
        )


class TestLabels:
    def test_two_scopes(self) -> None:
        """What two libraries measure under one name keeps its values under its labels."""

        def measure(provider: MeterProvider) -> None:
            provider.get_meter("A").create_counter("dup").add(1, {"alpha": "va"})
            provider.get_meter("B").create_counter("dup").add(2, {"beta": "vb"})

        assert [
            'dup_total{alpha="va",service_name="maps"} 1.0',
            'dup_total{beta="vb",service_name="maps"} 2.0',
        ] == page(collected(measure))

    def test_le(self) -> None:
        """An attribute cannot stand in for a bucket's bound."""

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            histogram.record(0.5, {"le": "7"})
            meter.create_gauge("b").set(1, {"le": "7"})

        assert ["1.0", "+Inf", "7"] == [
            line.split('le="')[1].split('"')[0] for line in page(measured(measure)) if "le=" in line
        ]


class TestSame:
    def test_sums(self) -> None:
        """Of series that differ by the type of a value or the spelling of a key, sums add up."""

        def measure(meter: Meter) -> None:
            counter = meter.create_counter("a")
            for given in ({"k.x": 1}, {"k.x": "1"}, {"k_x": "1"}):
                counter.add(1, given)

        assert ['a_total{k_x="1",service_name="maps"} 3.0'] == page(measured(measure))

    def test_gauges(self) -> None:
        """Of gauges the last is shown."""

        def measure(meter: Meter) -> None:
            gauge = meter.create_gauge("a")
            gauge.set(5, {"k": 1})
            gauge.set(3, {"k": "1"})

        assert ['a{k="1",service_name="maps"} 3.0'] == page(measured(measure))

    def test_histograms(self) -> None:
        """Histograms add up, bucket by bucket."""

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            histogram.record(0.5, {"k": 1})
            histogram.record(2, {"k": "1"})

        assert ["1", "2", "2", "2.5"] == [line.split()[-1] for line in page(measured(measure))]

    def test_scopes(self) -> None:
        """So do those of two libraries, whose names are not shown."""

        def measure(provider: MeterProvider) -> None:
            for scope in ("A", "B"):
                provider.get_meter(scope).create_up_down_counter("dup", "1", scope).add(2)

        assert ['dup{service_name="maps"} 4.0'] == page(collected(measure))

    def test_surrogates(self) -> None:
        """Text that UTF-8 cannot hold may make two series one."""

        def measure(meter: Meter) -> None:
            counter = meter.create_counter("a")
            counter.add(1, {"k": "\ud800"})
            counter.add(1, {"k": "\ud801"})

        assert ['a_total{k="?",service_name="maps"} 2.0'] == page(measured(measure))


class TestBuckets:
    @pytest.mark.parametrize(
        ("bounds", "shown"),
        [
            ([], ["+Inf 4"]),
            ([1], ["1.0 2", "+Inf 4"]),
            ([-1, 1.25], ["-1.0 0", "1.25 2", "+Inf 4"]),
        ],
    )
    def test_bounds(self, bounds: list[float], shown: list[str]) -> None:
        """Whatever bounds the SDK takes can be shown, and are floats."""
        data = measured(_four, _buckets(bounds))

        assert shown == [
            line.split('le="')[1].replace('"}', "") for line in page(data) if "_bucket" in line
        ]

    def test_different(self) -> None:
        """Of two histograms with the same labels and other buckets, the first is shown."""

        def measure(provider: MeterProvider) -> None:
            for scope, bound in (("A", 1.0), ("B", 2.0)):
                provider.get_meter(scope).create_histogram(
                    "dup", explicit_bucket_boundaries_advisory=[bound]
                ).record(1)

        faults: Faults = []

        assert 4 == len(page(collected(measure), faults))
        assert [("dup", "conflict")] == faults


class TestExemplars:
    def test_sampled(self) -> None:
        """What was measured in a sampled span leads to its trace; the latest of each bucket."""
        tracer = TracerProvider().get_tracer("one")

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            with tracer.start_as_current_span("s"):
                histogram.record(0.5)
                meter.create_counter("b").add(3)

        lines = page(measured(measure), written=OPENMETRICS)

        assert [" 0.5 ", " 3.0 "] == [
            line.split("}")[-1][:5] for line in lines if "# {trace_id=" in line
        ]
        assert ["a_bucket", "b_total"] == [line.split("{")[0] for line in lines if "#" in line]


def _buckets(bounds: list[float]) -> View:
    aggregation = ExplicitBucketHistogramAggregation(bounds)
    return View(instrument_name="a", aggregation=aggregation)


def _four(meter: Meter) -> None:
    histogram: Any = meter.create_histogram("a")
    for value in (0.5, 1, 1.5, 3):
        histogram.record(value)
