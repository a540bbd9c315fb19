from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from otel_meta import (
    HTTP_SERVER_REQUEST_DURATION,
    Counter,
    Gauge,
    Histogram,
    Instrument,
    NoLabels,
    UpDownCounter,
    labels,
)
from otel_meta.runtime.accumulators import Accumulators
from otel_meta.runtime.family import Family
from otel_meta.runtime.faults import Faults
from otel_meta.runtime.points import scope_metrics, with_accumulators

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


def accumulators() -> Any:
    """Nothing recorded yet."""
    return Accumulators(Faults())


def sent(accumulators: Accumulators) -> list[Metric]:
    """What a receiver of OTLP decodes."""
    resource = ResourceMetrics(Resource({}), [scope_metrics(accumulators.families())], "")
    encoded = encode_metrics(MetricsData([resource])).SerializeToString()
    decoded = type(encode_metrics(MetricsData([])))()
    decoded.ParseFromString(encoded)
    return [m for r in decoded.resource_metrics for s in r.scope_metrics for m in s.metrics]


def attributes(point: Any) -> dict[str, Any]:
    """The attributes of a point as plain values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in point.attributes}


class TestEncoded:
    @given(st.lists(amounts, min_size=1, max_size=5))
    def test_counter(self, amounts: list[float]) -> None:
        """A counter arrives as a cumulative, monotonic sum of what was added."""
        it = accumulators()
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
        it = accumulators()
        for amount in amounts:
            it.recorder(UP_DOWN).add(amount, route="/")
        (metric,) = sent(it)

        assert not metric.sum.is_monotonic
        assert [sum(amounts)] == [p.as_double for p in metric.sum.data_points]

    @given(finite)
    def test_gauge(self, value: float) -> None:
        """A gauge arrives as its latest value."""
        it = accumulators()
        it.recorder(GAUGE).set(1.0, route="/")
        it.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(it)

        assert [value] == [p.as_double for p in metric.gauge.data_points]

    @given(st.lists(finite, min_size=1, max_size=20))
    def test_histogram(self, values: list[float]) -> None:
        """A histogram arrives with its bounds, its counts by bucket, their sum and no extremes."""
        it = accumulators()
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
        it = accumulators()
        it.recorder(GAUGE).set(value, route="/")
        (metric,) = sent(it)
        (point,) = metric.gauge.data_points

        assert float(value) == getattr(point, point.WhichOneof("value"))

    @given(st.text(min_size=1))
    def test_label(self, text: str) -> None:
        """Any text that is a label value arrives as it is."""
        it = accumulators()
        it.recorder(GAUGE).set(1.0, route=text)
        (metric,) = sent(it)

        (point,) = metric.gauge.data_points
        assert text == attributes(point)["route"]

    def test_surrogate(self) -> None:
        """A lone surrogate in a label takes nothing else down with it."""
        it = accumulators()
        it.recorder(GAUGE).set(1.0, route="\ud800")
        it.recorder(COUNTER).add(1, route="/")

        assert ["acme.level", "acme.requests"] == [metric.name for metric in sent(it)]


class TestAttributes:
    def test_empty(self) -> None:
        """An empty label value leaves its attribute out."""
        it = accumulators()
        it.recorder(GAUGE).set(1.0, route="")
        (metric,) = sent(it)

        assert {"method": "GET"} == attributes(metric.gauge.data_points[0])

    def test_conventions(self) -> None:
        """Labels of the conventions leave under their dotted keys, the status as an integer."""
        it = accumulators()
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
        family = Family(COUNTER, accumulators().family(COUNTER)._make, limit=2)
        for route in "abc":
            family.find({"route": route}).add(1)
        points = scope_metrics([family]).metrics[0].data.data_points

        assert {"otel.metric.overflow": True} == dict(points[-1].attributes)
        assert 2.0 == points[-1].value


class TestTime:
    def test_now(self) -> None:
        """Every point is of the moment of collection, and began with its series."""
        it = accumulators()
        it.recorder(COUNTER).add(1, route="/")
        metrics = scope_metrics(it.families(), clock_ns=lambda: 2**62).metrics
        points = [point for metric in metrics for point in metric.data.data_points]

        assert {2**62} == {point.time_unix_nano for point in points}
        assert {cell.start_ns for cell in it.family(COUNTER).cells()} == {
            point.start_time_unix_nano for point in points
        }

    def test_new(self) -> None:
        """A series that begins while points are collected does not end before it began."""
        it = accumulators()

        def families() -> Iterator[Family[Any]]:
            it.recorder(COUNTER).add(1, route="/")
            yield from it.families()

        (metric,) = scope_metrics(families()).metrics

        assert [] == [
            p for p in metric.data.data_points if p.start_time_unix_nano > p.time_unix_nano
        ]


class TestNothing:
    @pytest.mark.parametrize(
        "instrument",
        [COUNTER, UP_DOWN, GAUGE, HISTOGRAM, Gauge("acme.x", "Something.", NoLabels)],
        ids=lambda i: i.kind,
    )
    def test_silent(self, instrument: Instrument[...]) -> None:
        """An instrument without series is no metric."""
        it = accumulators()
        it.recorder(instrument)

        assert [] == sent(it)

    def test_unset(self) -> None:
        """A gauge whose first value was refused shows nothing."""
        it = accumulators()
        it.family(GAUGE).find({"route": "/"})

        assert [] == sent(it)


class TestWithAccumulators:
    def test_beside(self) -> None:
        """The points join what the SDK collected, under the same resource."""
        it = accumulators()
        it.recorder(COUNTER).add(1, route="/")
        resource = Resource({"service.name": "a"})
        foreign = scope_metrics([])
        joined = with_accumulators(
            MetricsData([ResourceMetrics(resource, [foreign], "")]), it
        ).resource_metrics

        assert [resource] == [each.resource for each in joined]
        assert foreign is joined[0].scope_metrics[0]
        assert ["acme.requests"] == [m.name for m in joined[0].scope_metrics[1].metrics]

    def test_scope(self) -> None:
        """The scope has a name and no version, which would start every series anew."""
        scope = scope_metrics([]).scope

        assert ("otel_meta", "") == (scope.name, scope.version or "")
