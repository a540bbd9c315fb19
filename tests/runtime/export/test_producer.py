from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Tracer

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
amounts = st.floats(0, 1e12)


@labels
class Request:
    route: str
    method: Literal["GET", "POST"] = "GET"
    tenant: str = ""


COUNTER = Counter("acme.requests", "Requests.", Request, unit="{request}")
UP_DOWN = UpDownCounter("acme.connections", "Connections.", Request)
GAUGE = Gauge("acme.level", "A level.", Request, unit="By")
HISTOGRAM = Histogram("acme.size", "A size.", Request, unit="s", buckets=(1, 10, 100))


def storage() -> Any:
    """Return an empty storage."""
    return MetricStorage(Faults())


def added(numbers: list[float]) -> float:
    """Return the sum with a rounding at each step; `sum` rounds once from Python 3.12 on."""
    return reduce(add, numbers, 0.0)


def sent(source: MetricStorage | MetricProducer) -> list[Metric]:
    """Return the metrics that a receiver of OTLP decodes, without otel_meta's own."""
    points = source if isinstance(source, MetricProducer) else MetricProducer(source)
    resource = ResourceMetrics(Resource({}), [points.collect()], "")
    points.settle(delivered=True)
    encoded = encode_metrics(MetricsData([resource])).SerializeToString()
    decoded = type(encode_metrics(MetricsData([])))()
    decoded.ParseFromString(encoded)
    metrics = [m for r in decoded.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return [metric for metric in metrics if not metric.name.startswith("otel_meta.")]


def attributes(point: Any) -> dict[str, Any]:
    """Return the attributes of a point as plain values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in point.attributes}


class TestEncoded:
    @given(st.lists(amounts, min_size=1, max_size=5))
    def test_counter_is_encoded_as_cumulative_monotonic_sum(self, amounts: list[float]) -> None:
        """A counter is encoded as a cumulative, monotonic sum."""
        recording = storage()
        for amount in amounts:
            recording.recorder(COUNTER).add(amount, route="/", tenant="a")
        (metric,) = sent(recording)
        point = next(p for p in metric.sum.data_points if attributes(p)["method"] == "GET")

        assert ("acme.requests", "Requests.", "{request}") == (
            metric.name,
            metric.description,
            metric.unit,
        )
        assert metric.sum.is_monotonic
        assert (
            AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            == metric.sum.aggregation_temporality
        )
        assert math.isclose(math.fsum(amounts), point.as_double, rel_tol=1e-12)
        assert {"route": "/", "method": "GET", "tenant": "a"} == attributes(point)

    @given(st.lists(finite, min_size=1, max_size=5))
    def test_up_down_counter_is_encoded_as_cumulative_sum(self, amounts: list[float]) -> None:
        """An up-down counter is encoded as a cumulative sum that is not monotonic."""
        recording = storage()
        for amount in amounts:
            recording.recorder(UP_DOWN).add(amount, route="/")
        (metric,) = sent(recording)

        assert not metric.sum.is_monotonic
        assert [added(amounts)] == [p.as_double for p in metric.sum.data_points]

    @given(finite)
    def test_gauge_is_encoded_as_its_latest_value(self, value: float) -> None:
        """A gauge is encoded as its latest value."""
        recording = storage()
        recording.recorder(GAUGE).set(1.0, route="/")
        recording.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(recording)

        assert [value] == [p.as_double for p in metric.gauge.data_points]

    @given(st.lists(finite, min_size=1, max_size=20))
    def test_histogram_is_encoded_with_bounds_bucket_counts_and_sum(
        self, values: list[float]
    ) -> None:
        """A histogram is encoded with bounds, bucket counts and sum, without min and max."""
        recording = storage()
        for value in values:
            recording.recorder(HISTOGRAM).record(value, route="/")
        (metric,) = sent(recording)
        (point,) = metric.histogram.data_points
        below = [sum(value <= bound for value in values) for bound in (1, 10, 100, math.inf)]

        assert [1.0, 10.0, 100.0] == list(point.explicit_bounds)
        assert [now - before for before, now in zip([0, *below], below, strict=False)] == list(
            point.bucket_counts
        )
        assert (len(values), added(values)) == (point.count, point.sum)
        assert (False, False) == (point.HasField("min"), point.HasField("max"))

    def test_native_histogram_is_encoded_with_its_declared_buckets(self) -> None:
        """A native histogram is encoded with its declared buckets, as one that is not native."""
        native = Histogram("a.b", "Text.", NoLabels, buckets=(1, 10, 100), native=True)
        recording = storage()
        for value in (0.5, 3, 4, 10, 500):
            recording.recorder(native).record(value)
        (metric,) = sent(recording)
        (point,) = metric.histogram.data_points

        assert [1.0, 10.0, 100.0] == list(point.explicit_bounds)
        assert [1, 3, 0, 1] == list(point.bucket_counts)

    @pytest.mark.parametrize("value", [0, 1, -1, 2**53, 2**63, -(2**64), 10**30])
    def test_gauge_with_integer_of_any_size_is_encoded(self, value: int) -> None:
        """A gauge with an integer of any size is encoded."""
        recording = storage()
        recording.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(recording)
        (point,) = metric.gauge.data_points

        assert float(value) == getattr(point, point.WhichOneof("value") or "")

    @given(st.text(min_size=1))
    def test_any_text_in_label_value_is_encoded_unchanged(self, text: str) -> None:
        """Any text in a label value is encoded unchanged."""
        recording = storage()
        recording.recorder(GAUGE).set(1.0, route=text)
        (metric,) = sent(recording)

        (point,) = metric.gauge.data_points
        assert text == attributes(point)["route"]

    def test_lone_surrogate_in_label_does_not_affect_other_metrics(self) -> None:
        """A lone surrogate in a label does not affect other metrics."""
        recording = storage()
        recording.recorder(GAUGE).set(1.0, route="\ud800")
        recording.recorder(COUNTER).add(1, route="/")

        assert ["acme.level", "acme.requests"] == [metric.name for metric in sent(recording)]


class TestAttributes:
    def test_empty_label_value_has_no_attribute(self) -> None:
        """An empty label value has no attribute."""
        recording = storage()
        recording.recorder(GAUGE).set(1.0, route="")
        (metric,) = sent(recording)

        assert {"method": "GET"} == attributes(metric.gauge.data_points[0])

    def test_labels_of_conventions_have_dotted_keys_and_status_code(self) -> None:
        """Labels of the conventions have dotted keys, and the status code is an integer."""
        recording = storage()
        recording.recorder(HTTP_SERVER_REQUEST_DURATION).record(
            0.1,
            http_request_method="GET",
            url_scheme="http",
            http_route="/items/{id}",
            http_response_status_code="404",
        )
        (metric,) = sent(recording)

        assert {
            "http.request.method": "GET",
            "url.scheme": "http",
            "http.route": "/items/{id}",
            "http.response.status_code": 404,
        } == attributes(metric.histogram.data_points[0])

    def test_series_over_cardinality_limit_share_one_point(self) -> None:
        """Series over the cardinality limit share one point with the standard's attribute."""
        recording: Any = MetricStorage(Faults(), max_series=2)
        for route in "abc":
            recording.recorder(COUNTER).add(1, route=route)
        point = sent(recording)[0].sum.data_points[-1]

        assert ({"otel.metric.overflow": True}, 2.0) == (attributes(point), point.as_double)


class TestTime:
    def test_point_has_time_of_collection_and_start_of_its_series(self) -> None:
        """A point has the time of the collection and the start of its series."""
        recording = storage()
        recording.recorder(COUNTER).add(1, route="/")
        (metric,) = sent(MetricProducer(recording, clock_ns=lambda: 2**62))
        points = metric.sum.data_points

        assert {2**62} == {point.time_unix_nano for point in points}
        assert {cell.start_ns for cell in recording.family(COUNTER).cells()} == {
            point.start_time_unix_nano for point in points
        }

    def test_time_of_point_is_not_before_its_start_if_series(self) -> None:
        """The time of a point is not before its start if the series is younger."""
        recording = storage()

        def record_first() -> int:
            now = time.time_ns()
            recording.recorder(COUNTER).add(1, route="/")
            return now

        (metric,) = sent(MetricProducer(recording, clock_ns=record_first))

        assert [] == [
            p for p in metric.sum.data_points if p.start_time_unix_nano > p.time_unix_nano
        ]


class TestNothing:
    @pytest.mark.parametrize(
        "instrument",
        [COUNTER, UP_DOWN, GAUGE, HISTOGRAM, Gauge("acme.x", "Something.", NoLabels)],
        ids=lambda i: i.kind,
    )
    def test_instrument_without_series_has_no_metric(self, instrument: Instrument[...]) -> None:
        """An instrument without series has no metric."""
        recording = storage()
        recording.recorder(instrument)

        assert [] == sent(recording)

    def test_gauge_whose_first_value_was_refused_has_no_point(self) -> None:
        """A gauge whose first value was refused has no point."""
        recording = storage()
        recording.family(GAUGE).find({"route": "/"})

        assert [] == sent(recording)


class TestAppendTo:
    def test_points_are_appended_to_sdks_collection_under_same_resource(self) -> None:
        """The points are appended to the SDK's collection under the same resource."""
        recording = storage()
        recording.recorder(COUNTER).add(1, route="/")
        resource = Resource({"service.name": "a"})
        foreign = ScopeMetrics(InstrumentationScope("foreign"), [], "")
        merged = (
            MetricProducer(recording).append_to(
                MetricsData([ResourceMetrics(resource, [foreign], "")])
            )
        ).resource_metrics

        assert [resource] == [each.resource for each in merged]
        assert foreign is merged[0].scope_metrics[0]
        assert "acme.requests" == merged[0].scope_metrics[1].metrics[0].name

    def test_scope_has_name_and_no_version(self) -> None:
        """The scope has a name and no version."""
        scope = MetricProducer(storage()).collect().scope

        assert ("otel_meta", "") == (scope.name, scope.version or "")


class Clock:
    """A clock in nanoseconds that advances with each call."""

    def __init__(self) -> None:
        self.now = time.time_ns()

    def __call__(self) -> int:
        """Advance one second and return the time."""
        self.now += 1_000_000_000
        return self.now


@pytest.fixture
def switching() -> Iterator[None]:
    """Make threads switch as often as possible."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class TestDelta:
    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=5))
    def test_delta_of_counter_has_amounts_since_previous_collection_if_any(
        self, amounts: list[int]
    ) -> None:
        """A delta of a counter has the amounts since the previous collection, if any."""
        recording = storage()
        points = MetricProducer(recording, "delta", Clock())
        reported = []
        for amount in amounts:
            recording.recorder(COUNTER).add(amount, route="/")
            reported.append([p.as_double for m in sent(points) for p in m.sum.data_points])

        assert [[float(amount)] if amount else [] for amount in amounts] == reported

    @given(st.lists(st.lists(st.sampled_from([0.5, 5.0, 50.0, 500.0])), min_size=1, max_size=5))
    def test_delta_of_histogram_has_values_since_previous_collection(
        self, rounds: list[list[float]]
    ) -> None:
        """A delta of a histogram has the values since the previous collection."""
        recording = storage()
        points = MetricProducer(recording, "delta", Clock())
        for values in rounds:
            for value in values:
                recording.recorder(HISTOGRAM).record(value, route="/")
            reported = [p for m in sent(points) for p in m.histogram.data_points]
            expected = [values.count(v) for v in (0.5, 5.0, 50.0, 500.0)]

            assert ([(expected, sum(values))] if values else []) == [
                (list(p.bucket_counts), p.sum) for p in reported
            ]

    @pytest.mark.parametrize("preference", ["delta", "lowmemory"])
    def test_counters_and_histograms_are_deltas_and_up_down_counters(self, preference: str) -> None:
        """Counters and histograms are deltas, and up-down counters are cumulative."""
        recording = storage()
        recording.recorder(COUNTER).add(1, route="/")
        recording.recorder(UP_DOWN).add(1, route="/")
        recording.recorder(HISTOGRAM).record(1, route="/")
        delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        total = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        counter, up_down, histogram = sent(MetricProducer(recording, preference))

        assert (delta, total, delta) == (
            counter.sum.aggregation_temporality,
            up_down.sum.aggregation_temporality,
            histogram.histogram.aggregation_temporality,
        )

    def test_each_interval_of_delta_begins_at_end_of_previous_collection(self) -> None:
        """Each interval of a delta begins at the end of the previous collection."""
        recording = storage()
        clock = Clock()
        points = MetricProducer(recording, "delta", clock)
        times = []
        for amount in (1, 0, 1):
            recording.recorder(COUNTER).add(amount, route="/")
            times += [
                (p.start_time_unix_nano, p.time_unix_nano)
                for m in sent(points)
                for p in m.sum.data_points
            ]
        (cell, *_) = (c for c in recording.family(COUNTER).cells() if c.value)
        second = 1_000_000_000

        assert [(cell.start_ns, clock.now - 2 * second), (clock.now - second, clock.now)] == times

    def test_series_that_was_removed_starts_again_with_new_start_time(self) -> None:
        """A series that was removed starts again with a new start time."""
        recording = storage()
        points = MetricProducer(recording, "delta", Clock())
        recording.recorder(COUNTER).add(5, route="/")
        sent(points)
        recording.recorder(COUNTER).remove(route="/", method="GET", tenant="")
        recording.recorder(COUNTER).add(2, route="/")
        (cell, *_) = (c for c in recording.family(COUNTER).cells() if c.value)

        assert [(2.0, cell.start_ns)] == [
            (p.as_double, p.start_time_unix_nano) for m in sent(points) for p in m.sum.data_points
        ]

    def test_each_reader_has_its_own_previous_collection(self) -> None:
        """Each reader has its own previous collection."""
        recording = storage()
        one, other = MetricProducer(recording, "delta"), MetricProducer(recording, "delta")
        recording.recorder(COUNTER).add(1, route="/")
        sent(one)
        recording.recorder(COUNTER).add(1, route="/")

        assert [[1.0], [2.0]] == [
            [p.as_double for m in sent(points) for p in m.sum.data_points]
            for points in (one, other)
        ]

    def test_delta_that_was_not_delivered_joins_next_delta(self) -> None:
        """A delta that was not delivered joins the next one, with the start of its interval."""
        recording = storage()
        clock = Clock()
        points = MetricProducer(recording, "delta", clock)
        recording.recorder(COUNTER).add(1, route="/")
        sent(points)
        start = clock.now
        for _ in range(2):
            recording.recorder(COUNTER).add(2, route="/")
            points.collect()
            points.settle(delivered=False)
        recording.recorder(COUNTER).add(3, route="/")

        assert [(7.0, start)] == [
            (p.as_double, p.start_time_unix_nano) for m in sent(points) for p in m.sum.data_points
        ]


class TestExemplars:
    @pytest.fixture
    def recording(self) -> Any:
        """A storage that sees the spans of a tracer."""
        return MetricStorage(Faults())

    @pytest.fixture
    def tracer(self, recording: Any) -> Tracer:
        """A tracer that samples everything."""
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SampledSpanCounter(recording.spans))
        return provider.get_tracer("test")

    def test_counter_has_exemplar_with_ids_of_its_span(
        self, recording: Any, tracer: Tracer
    ) -> None:
        """A counter has an exemplar with the ids of its span."""
        with tracer.start_as_current_span("a") as span:
            recording.recorder(COUNTER).add(2, route="/")
        ids = span.get_span_context()
        (metric,) = sent(recording)
        (exemplar,) = (e for p in metric.sum.data_points for e in p.exemplars)

        assert ids.trace_id == int.from_bytes(exemplar.trace_id)
        assert ids.span_id == int.from_bytes(exemplar.span_id)
        assert 2.0 == exemplar.as_double
        assert [] == list(exemplar.filtered_attributes)

    def test_histogram_has_exemplar_for_each_bucket_with_values(
        self, recording: Any, tracer: Tracer
    ) -> None:
        """A histogram has an exemplar for each bucket with values."""
        with tracer.start_as_current_span("a"):
            for value in (0.5, 0.6, 50.0):
                recording.recorder(HISTOGRAM).record(value, route="/")
        (metric,) = sent(recording)

        assert [0.5, 50.0] == [
            e.as_double for p in metric.histogram.data_points for e in p.exemplars
        ]

    def test_exemplar_that_was_not_delivered_is_reported_again(
        self, recording: Any, tracer: Tracer
    ) -> None:
        """An exemplar that was not delivered is reported again."""
        points = MetricProducer(recording)
        with tracer.start_as_current_span("a"):
            recording.recorder(COUNTER).add(2, route="/")
        points.collect()
        points.settle(delivered=False)

        assert 1 == sum(len(p.exemplars) for m in sent(points) for p in m.sum.data_points)

    def test_reader_reports_each_exemplar_once(self, recording: Any, tracer: Tracer) -> None:
        """A reader reports each exemplar once."""
        points = MetricProducer(recording)
        with tracer.start_as_current_span("a"):
            recording.recorder(COUNTER).add(2, route="/")

        assert [1, 0] == [
            sum(len(p.exemplars) for m in sent(points) for p in m.sum.data_points) for _ in range(2)
        ]
