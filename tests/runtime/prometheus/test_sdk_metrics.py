from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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

from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.sdk_metrics import sdk_families
from otel_meta.runtime.prometheus.text_format import OPENMETRICS, TEXT

Faults = list[tuple[str, str]]


def page(collected: Any, faults: Faults | None = None, text_format: Any = TEXT) -> list[str]:
    """Render the samples of SDK metrics as lines, without the headers."""
    reported = [] if faults is None else faults

    def report(source: str, reason: str, _detail: object) -> None:
        reported.append((source, reason))

    families = sdk_families(collected, (("service_name", "maps"),), report)
    text = render_page(families, text_format, report).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def collected(measure: Callable[[MeterProvider], object], views: Sequence[View] = ()) -> Any:
    """Collect SDK metrics after some measurements."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], Resource({}), views=views)
    measure(provider)
    data = reader.get_metrics_data()
    provider.shutdown()
    return data


def measured(measure: Callable[[Meter], object], *views: View) -> Any:
    """Collect SDK metrics after measurements of one library."""
    return collected(lambda provider: measure(provider.get_meter("one")), views)


def metrics_data(*data: tuple[str, Any]) -> MetricsData:
    """Return metrics as a foreign producer of the SDK may return them."""
    metrics = [Metric(name, "", "", each) for name, each in data]
    scope = ScopeMetrics(InstrumentationScope("one"), metrics, "")
    return MetricsData([ResourceMetrics(Resource({}), [scope], "")])


class TestKinds:
    def test_counters_and_gauges_have_translated_names_and_identity_labels(self) -> None:
        """Counters and gauges have translated names and the identity labels."""

        def measure(meter: Meter) -> None:
            meter.create_counter("a.b", unit="s").add(2, {"k": "v"})
            meter.create_up_down_counter("c", unit="1").add(-2)
            meter.create_gauge("d", unit="1").set(0.5)

        assert [
            'a_b_seconds_total{k="v",service_name="maps"} 2.0',
            'c{service_name="maps"} -2.0',
            'd_ratio{service_name="maps"} 0.5',
        ] == page(measured(measure))

    def test_bounds_of_histograms_are_floats(self) -> None:
        """Bounds of histograms are floats."""

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

    def test_exponential_histogram_is_left_out_and_reported(self) -> None:
        """An exponential histogram is left out and reported."""

        def measure(meter: Meter) -> None:
            meter.create_histogram("a").record(1)
            meter.create_counter("b").add(1)

        faults: Faults = []
        view = View(instrument_name="a", aggregation=ExponentialBucketHistogramAggregation())

        assert ['b_total{service_name="maps"} 1.0'] == page(measured(measure, view), faults)
        assert [("a", "not exposed")] == faults

    def test_delta_is_left_out_and_reported(self) -> None:
        """A delta is left out and reported."""
        delta = Sum([NumberDataPoint({}, 0, 0, 1)], AggregationTemporality.DELTA, True)
        faults: Faults = []

        assert [] == page(metrics_data(("a", delta)), faults)
        assert [("a", "not exposed")] == faults

    def test_metric_without_numeric_values_is_left_out_and_reported(self) -> None:
        """A metric without numeric values is left out and reported."""
        odd: Any = Gauge([NumberDataPoint({}, 0, 0, "one")])  # type: ignore[arg-type]
        faults: Faults = []

        assert ['b{service_name="maps"} 1.0'] == page(
            metrics_data(("a", odd), ("b", Gauge([NumberDataPoint({}, 0, 0, 1)]))), faults
        )
        assert [("a", "not exposed")] == faults

    @pytest.mark.parametrize("value", [math.nan, -1.0])
    def test_impossible_value_of_counter_is_left_out_and_reported(self, value: float) -> None:
        """An impossible value of a counter is left out and reported."""
        odd, fine = (
            NumberDataPoint({"k": "odd"}, 0, 0, value),
            NumberDataPoint({"k": "fine"}, 0, 0, 1),
        )
        total = Sum([odd, fine], AggregationTemporality.CUMULATIVE, True)
        faults: Faults = []

        assert ['a_total{k="fine",service_name="maps"} 1.0'] == page(
            metrics_data(("a", total)), faults
        )
        assert [("a", "value")] == faults

    @pytest.mark.parametrize(
        ("value", "text"),
        [(math.inf, "+Inf"), (math.nan, "NaN"), (10**400, "+Inf"), (-(10**400), "-Inf")],
    )
    def test_gauge_can_have_any_value(self, value: float, text: str) -> None:
        """A gauge can have any value."""
        assert [f'a{{service_name="maps"}} {text}'] == page(
            metrics_data(("a", Gauge([NumberDataPoint({}, 0, 0, value)])))
        )


class TestLabels:
    def test_series_of_two_libraries_under_one_name_keep_their_labels(self) -> None:
        """Series of two libraries under one name keep their labels."""

        def measure(provider: MeterProvider) -> None:
            provider.get_meter("A").create_counter("dup").add(1, {"alpha": "va"})
            provider.get_meter("B").create_counter("dup").add(2, {"beta": "vb"})

        assert [
            'dup_total{alpha="va",service_name="maps"} 1.0',
            'dup_total{beta="vb",service_name="maps"} 2.0',
        ] == page(collected(measure))

    def test_attribute_le_does_not_replace_bound_of_bucket(self) -> None:
        """An attribute le does not replace the bound of a bucket."""

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            histogram.record(0.5, {"le": "7"})
            meter.create_gauge("b").set(1, {"le": "7"})

        assert ["1.0", "+Inf", "7"] == [
            line.split('le="')[1].split('"')[0] for line in page(measured(measure)) if "le=" in line
        ]


class TestMerge:
    def test_sums_with_equal_labels_after_translation_add_up(self) -> None:
        """Sums with equal labels after translation add up."""

        def measure(meter: Meter) -> None:
            counter = meter.create_counter("a")
            for given in ({"k.x": 1}, {"k.x": "1"}, {"k_x": "1"}):
                counter.add(1, given)

        assert ['a_total{k_x="1",service_name="maps"} 3.0'] == page(measured(measure))

    def test_last_of_several_gauges_with_equal_labels_is_shown(self) -> None:
        """The last of several gauges with equal labels is shown."""

        def measure(meter: Meter) -> None:
            gauge = meter.create_gauge("a")
            gauge.set(5, {"k": 1})
            gauge.set(3, {"k": "1"})

        assert ['a{k="1",service_name="maps"} 3.0'] == page(measured(measure))

    def test_histograms_with_equal_labels_add_up_bucket_by_bucket(self) -> None:
        """Histograms with equal labels add up, bucket by bucket."""

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            histogram.record(0.5, {"k": 1})
            histogram.record(2, {"k": "1"})

        assert ["1", "2", "2", "2.5"] == [line.split()[-1] for line in page(measured(measure))]

    def test_sums_of_two_libraries_with_equal_labels_add_up(self) -> None:
        """Sums of two libraries with equal labels add up."""

        def measure(provider: MeterProvider) -> None:
            for scope in ("A", "B"):
                provider.get_meter(scope).create_up_down_counter("dup", "1", scope).add(2)

        assert ['dup{service_name="maps"} 4.0'] == page(collected(measure))

    def test_series_that_differ_by_lone_surrogates_are_merged(self) -> None:
        """Series that differ by lone surrogates are merged."""

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
    def test_bounds_of_any_number_and_sign_are_floats(
        self, bounds: list[float], shown: list[str]
    ) -> None:
        """Bounds of any number and sign are floats."""
        data = measured(_four, _buckets(bounds))

        assert shown == [
            line.split('le="')[1].replace('"}', "") for line in page(data) if "_bucket" in line
        ]

    def test_first_of_two_histograms_with_different_buckets_is_shown(self) -> None:
        """The first of two histograms with different buckets is shown."""

        def measure(provider: MeterProvider) -> None:
            for scope, bound in (("A", 1.0), ("B", 2.0)):
                provider.get_meter(scope).create_histogram(
                    "dup", explicit_bucket_boundaries_advisory=[bound]
                ).record(1)

        faults: Faults = []

        assert 4 == len(page(collected(measure), faults))
        assert [("dup", "conflict")] == faults


class TestExemplars:
    def test_openmetrics_shows_exemplars_of_sampled_spans(self) -> None:
        """OpenMetrics shows the exemplars of sampled spans."""
        tracer = TracerProvider().get_tracer("one")

        def measure(meter: Meter) -> None:
            histogram = meter.create_histogram("a", explicit_bucket_boundaries_advisory=[1.0])
            with tracer.start_as_current_span("s"):
                histogram.record(0.5)
                meter.create_counter("b").add(3)

        lines = page(measured(measure), text_format=OPENMETRICS)

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
