from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from threading import Thread
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
    """Nothing recorded yet."""
    return MetricStorage(Faults())


def sent(source: MetricStorage | MetricProducer) -> list[Metric]:
    """What a receiver of OTLP decodes, but for what otel_meta says of itself."""
    points = source if isinstance(source, MetricProducer) else MetricProducer(source)
    resource = ResourceMetrics(Resource({}), [points.collect()], "")
    encoded = encode_metrics(MetricsData([resource])).SerializeToString()
    decoded = type(encode_metrics(MetricsData([])))()
    decoded.ParseFromString(encoded)
    metrics = [m for r in decoded.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return [metric for metric in metrics if not metric.name.startswith("otel_meta.")]


def attributes(point: Any) -> dict[str, Any]:
    """The attributes of a point as plain values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in point.attributes}


class TestEncoded:
    @given(st.lists(amounts, min_size=1, max_size=5))
    def test_counter(self, amounts: list[float]) -> None:
        """A counter arrives as a cumulative, monotonic sum of what was added."""
        it = storage()
        for amount in amounts:
            it.recorder(COUNTER).add(amount, route="/", tenant="a")
        (metric,) = sent(it)
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
    def test_up_down_counter(self, amounts: list[float]) -> None:
        """An up-down counter arrives as a cumulative sum that may go down."""
        it = storage()
        for amount in amounts:
            it.recorder(UP_DOWN).add(amount, route="/")
        (metric,) = sent(it)

        assert not metric.sum.is_monotonic
        assert [sum(amounts)] == [p.as_double for p in metric.sum.data_points]

    @given(finite)
    def test_gauge(self, value: float) -> None:
        """A gauge arrives as its latest value."""
        it = storage()
        it.recorder(GAUGE).set(1.0, route="/")
        it.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(it)

        assert [value] == [p.as_double for p in metric.gauge.data_points]

    @given(st.lists(finite, min_size=1, max_size=20))
    def test_histogram(self, values: list[float]) -> None:
        """A histogram arrives with its bounds, its counts by bucket, their sum and no extremes."""
        it = storage()
        for value in values:
            it.recorder(HISTOGRAM).record(value, route="/")
        (metric,) = sent(it)
        (point,) = metric.histogram.data_points
        below = [sum(value <= bound for value in values) for bound in (1, 10, 100, math.inf)]

        assert [1.0, 10.0, 100.0] == list(point.explicit_bounds)
        assert [now - before for before, now in zip([0, *below], below, strict=False)] == list(
            point.bucket_counts
        )
        assert (len(values), sum(values)) == (point.count, point.sum)
        assert (False, False) == (point.HasField("min"), point.HasField("max"))

    @pytest.mark.parametrize("value", [0, 1, -1, 2**53, 2**63, -(2**64), 10**30])
    def test_integer(self, value: int) -> None:
        """A gauge that was set to an integer arrives, however large the integer is."""
        it = storage()
        it.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(it)
        (point,) = metric.gauge.data_points

        assert float(value) == getattr(point, point.WhichOneof("value") or "")

    @given(st.text(min_size=1))
    def test_label(self, text: str) -> None:
        """Any text that is a label value arrives as it is."""
        it = storage()
        it.recorder(GAUGE).set(1.0, route=text)
        (metric,) = sent(it)

        (point,) = metric.gauge.data_points
        assert text == attributes(point)["route"]

    def test_surrogate(self) -> None:
        """A lone surrogate in a label takes nothing else down with it."""
        it = storage()
        it.recorder(GAUGE).set(1.0, route="\ud800")
        it.recorder(COUNTER).add(1, route="/")

        assert ["acme.level", "acme.requests"] == [metric.name for metric in sent(it)]


class TestAttributes:
    def test_empty(self) -> None:
        """An empty label value leaves its attribute out."""
        it = storage()
        it.recorder(GAUGE).set(1.0, route="")
        (metric,) = sent(it)

        assert {"method": "GET"} == attributes(metric.gauge.data_points[0])

    def test_conventions(self) -> None:
        """Labels of the conventions leave under their dotted keys, the status as an integer."""
        it = storage()
        it.recorder(HTTP_SERVER_REQUEST_DURATION).record(
            0.1,
            http_request_method="GET",
            url_scheme="http",
            http_route="/items/{id}",
            http_response_status_code="404",
        )
        (metric,) = sent(it)

        assert {
            "http.request.method": "GET",
            "url.scheme": "http",
            "http.route": "/items/{id}",
            "http.response.status_code": 404,
        } == attributes(metric.histogram.data_points[0])

    def test_overflow(self) -> None:
        """What is over the limit is one point, marked as the convention has it."""
        it: Any = MetricStorage(Faults(), max_series=2)
        for route in "abc":
            it.recorder(COUNTER).add(1, route=route)
        point = sent(it)[0].sum.data_points[-1]

        assert ({"otel.metric.overflow": True}, 2.0) == (attributes(point), point.as_double)


class TestTime:
    def test_now(self) -> None:
        """Every point is of the moment of collection, and began with its series."""
        it = storage()
        it.recorder(COUNTER).add(1, route="/")
        (metric,) = sent(MetricProducer(it, clock_ns=lambda: 2**62))
        points = metric.sum.data_points

        assert {2**62} == {point.time_unix_nano for point in points}
        assert {cell.start_ns for cell in it.family(COUNTER).cells()} == {
            point.start_time_unix_nano for point in points
        }

    def test_new(self) -> None:
        """A series that begins while points are collected does not end before it began."""
        it = storage()

        def record_first() -> int:
            now = time.time_ns()
            it.recorder(COUNTER).add(1, route="/")
            return now

        (metric,) = sent(MetricProducer(it, clock_ns=record_first))

        assert [] == [
            p for p in metric.sum.data_points if p.start_time_unix_nano > p.time_unix_nano
        ]


class TestNothing:
    @pytest.mark.parametrize(
        "instrument",
        [COUNTER, UP_DOWN, GAUGE, HISTOGRAM, Gauge("acme.x", "Something.", NoLabels)],
        ids=lambda i: i.kind,
    )
    def test_silent(self, instrument: Instrument[...]) -> None:
        """An instrument without series is no metric."""
        it = storage()
        it.recorder(instrument)

        assert [] == sent(it)

    def test_unset(self) -> None:
        """A gauge whose first value was refused shows nothing."""
        it = storage()
        it.family(GAUGE).find({"route": "/"})

        assert [] == sent(it)


class TestAppendTo:
    def test_beside(self) -> None:
        """The points join what the SDK collected, under the same resource."""
        it = storage()
        it.recorder(COUNTER).add(1, route="/")
        resource = Resource({"service.name": "a"})
        foreign = ScopeMetrics(InstrumentationScope("foreign"), [], "")
        merged = (
            MetricProducer(it).append_to(MetricsData([ResourceMetrics(resource, [foreign], "")]))
        ).resource_metrics

        assert [resource] == [each.resource for each in merged]
        assert foreign is merged[0].scope_metrics[0]
        assert "acme.requests" == merged[0].scope_metrics[1].metrics[0].name

    def test_scope(self) -> None:
        """The scope has a name and no version, which would start every series anew."""
        scope = MetricProducer(storage()).collect().scope

        assert ("otel_meta", "") == (scope.name, scope.version or "")


class Clock:
    """Nanoseconds that a test moves on."""

    def __init__(self) -> None:
        self.now = time.time_ns()

    def __call__(self) -> int:
        """A second later each time."""
        self.now += 1_000_000_000
        return self.now


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads that switch as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class TestDelta:
    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=5))
    def test_counter(self, amounts: list[int]) -> None:
        """A counter arrives as what was added since the last collection, if anything was."""
        it = storage()
        points = MetricProducer(it, "delta", Clock())
        told = []
        for amount in amounts:
            it.recorder(COUNTER).add(amount, route="/")
            told.append([p.as_double for m in sent(points) for p in m.sum.data_points])

        assert [[float(amount)] if amount else [] for amount in amounts] == told

    @given(st.lists(st.lists(st.sampled_from([0.5, 5.0, 50.0, 500.0])), min_size=1, max_size=5))
    def test_histogram(self, rounds: list[list[float]]) -> None:
        """A histogram arrives as what was recorded since the last collection."""
        it = storage()
        points = MetricProducer(it, "delta", Clock())
        for values in rounds:
            for value in values:
                it.recorder(HISTOGRAM).record(value, route="/")
            told = [p for m in sent(points) for p in m.histogram.data_points]
            expected = [values.count(v) for v in (0.5, 5.0, 50.0, 500.0)]

            assert ([(expected, sum(values))] if values else []) == [
                (list(p.bucket_counts), p.sum) for p in told
            ]

    @pytest.mark.parametrize("preference", ["delta", "lowmemory"])
    def test_kinds(self, preference: str) -> None:
        """Counters and histograms arrive as deltas, and up-down counters as totals."""
        it = storage()
        it.recorder(COUNTER).add(1, route="/")
        it.recorder(UP_DOWN).add(1, route="/")
        it.recorder(HISTOGRAM).record(1, route="/")
        delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        total = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        counter, up_down, histogram = sent(MetricProducer(it, preference))

        assert (delta, total, delta) == (
            counter.sum.aggregation_temporality,
            up_down.sum.aggregation_temporality,
            histogram.histogram.aggregation_temporality,
        )

    def test_gap(self) -> None:
        """Each interval begins where the one before ended, though nothing came in it."""
        it = storage()
        clock = Clock()
        points = MetricProducer(it, "delta", clock)
        times = []
        for amount in (1, 0, 1):
            it.recorder(COUNTER).add(amount, route="/")
            times += [
                (p.start_time_unix_nano, p.time_unix_nano)
                for m in sent(points)
                for p in m.sum.data_points
            ]
        (cell, *_) = (c for c in it.family(COUNTER).cells() if c.value)
        second = 1_000_000_000

        assert [(cell.start_ns, clock.now - 2 * second), (clock.now - second, clock.now)] == times

    def test_removed(self) -> None:
        """A series that was removed begins anew, with a start time of its own."""
        it = storage()
        points = MetricProducer(it, "delta", Clock())
        it.recorder(COUNTER).add(5, route="/")
        sent(points)
        it.recorder(COUNTER).remove(route="/", method="GET", tenant="")
        it.recorder(COUNTER).add(2, route="/")
        (cell, *_) = (c for c in it.family(COUNTER).cells() if c.value)

        assert [(2.0, cell.start_ns)] == [
            (p.as_double, p.start_time_unix_nano) for m in sent(points) for p in m.sum.data_points
        ]

    def test_readers(self) -> None:
        """Each reader has its own last time."""
        it = storage()
        one, other = MetricProducer(it, "delta"), MetricProducer(it, "delta")
        it.recorder(COUNTER).add(1, route="/")
        sent(one)
        it.recorder(COUNTER).add(1, route="/")

        assert [[1.0], [2.0]] == [
            [p.as_double for m in sent(points) for p in m.sum.data_points]
            for points in (one, other)
        ]

    def test_threads(self, switching: None) -> None:
        """Collections at the same time tell every change once."""
        it = storage()
        points = MetricProducer(it, "delta")
        told: list[float] = []

        def collect() -> None:
            for _ in range(200):
                metrics: Any = points.collect().metrics
                told.extend(
                    p.value for m in metrics if m.name == COUNTER.name for p in m.data.data_points
                )

        threads = [Thread(target=collect) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20_000):
            it.recorder(COUNTER).add(1, route="/")
        for thread in threads:
            thread.join()
        told.extend(p.as_double for m in sent(points) for p in m.sum.data_points)

        assert 20_000.0 == sum(told)


class TestExemplars:
    @pytest.fixture
    def it(self) -> Any:
        """A storage that sees the spans of a tracer."""
        return MetricStorage(Faults())

    @pytest.fixture
    def tracer(self, it: Any) -> Tracer:
        """A tracer that samples everything."""
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(it.spans)
        return provider.get_tracer("test")

    def test_counter(self, it: Any, tracer: Tracer) -> None:
        """A counter arrives with the span in which it was added to."""
        with tracer.start_as_current_span("a") as span:
            it.recorder(COUNTER).add(2, route="/")
        ids = span.get_span_context()
        (metric,) = sent(it)
        (exemplar,) = (e for p in metric.sum.data_points for e in p.exemplars)

        assert ids.trace_id == int.from_bytes(exemplar.trace_id)
        assert ids.span_id == int.from_bytes(exemplar.span_id)
        assert 2.0 == exemplar.as_double
        assert [] == list(exemplar.filtered_attributes)

    def test_histogram(self, it: Any, tracer: Tracer) -> None:
        """A histogram arrives with one for each bucket that was met."""
        with tracer.start_as_current_span("a"):
            for value in (0.5, 0.6, 50.0):
                it.recorder(HISTOGRAM).record(value, route="/")
        (metric,) = sent(it)

        assert [0.5, 50.0] == [
            e.as_double for p in metric.histogram.data_points for e in p.exemplars
        ]

    def test_once(self, it: Any, tracer: Tracer) -> None:
        """A reader is told of each exemplar once."""
        points = MetricProducer(it)
        with tracer.start_as_current_span("a"):
            it.recorder(COUNTER).add(2, route="/")

        assert [1, 0] == [
            sum(len(p.exemplars) for m in sent(points) for p in m.sum.data_points) for _ in range(2)
        ]
