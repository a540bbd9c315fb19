"""The same calls through the package's storage and through the API give equal OTLP.

Differences that remain, each with its reason:

- the instrumentation scope: otherwise two streams of one identity could meet at a backend;
- times, exemplars, and the order of points, which mean nothing in OTLP;
- min and max of histograms, which the package leaves unset: cumulative extremes never recover;
- deltas of zero, which the package leaves out;
- a histogram's handle, which exports an empty series in the storage alone;
- `remove`, negative values of histograms, and the metrics ``otel_meta.series``: the API has none.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.api.api_storage import ApiStorage
from otel_meta.runtime.export.point_counts import SCOPE
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.export.temporality import PREFERENCES
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION


@labels
class Job:
    """Labels of a job."""

    tier: Literal["free", "paid"]
    queue: str = ""


JOBS = Counter("lib.jobs", "Jobs that were done.", Job, unit="{job}", max_series=4)
OPEN = UpDownCounter("lib.jobs.open", "Jobs that are open.", Job)
LEVEL = Gauge("lib.level", "How full the queue is.", NoLabels, unit="%")
TIME = Histogram("lib.job.time", "Time of jobs.", Job, unit="s", buckets=(0.1, 1, 10))

JOB = st.fixed_dictionaries(
    {"tier": st.sampled_from(["free", "paid", "undeclared"])},
    optional={"queue": st.sampled_from(["", "a", "b", "ü"]), "unknown": st.just("x")},
)
NONE: st.SearchStrategy[dict[str, str]] = st.just({})
HTTP = st.fixed_dictionaries(
    {"http_request_method": st.sampled_from(["GET", "BREW"]), "url_scheme": st.just("http")},
    optional={
        "http_response_status_code": st.sampled_from(["200", "404", "999"]),
        "http_route": st.sampled_from(["/a/{b}", ""]),
        "stream": st.sampled_from(["", "true"]),
    },
)
WEIRD = st.sampled_from(["1", None, float("nan"), float("inf"), 1e300])
POSITIVE = st.integers(0, 2**40) | st.floats(0, 1e6) | st.booleans()
SIGNED = POSITIVE | st.integers(-9, -1)

METHODS: dict[Instrument[...], str] = {
    JOBS: "add",
    OPEN: "add",
    LEVEL: "set",
    TIME: "record",
    HTTP_SERVER_REQUEST_DURATION: "record",
}
HANDLED = (JOBS, OPEN, LEVEL)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just(JOBS), SIGNED | WEIRD, JOB),
        st.tuples(st.just(OPEN), SIGNED | WEIRD, JOB),
        st.tuples(st.just(LEVEL), SIGNED | WEIRD, NONE),
        st.tuples(st.just(TIME), POSITIVE | WEIRD, JOB),
        st.tuples(st.just(HTTP_SERVER_REQUEST_DURATION), POSITIVE | WEIRD, HTTP),
    ),
    max_size=30,
)
Call = tuple[Instrument[...], Any, dict[str, str]]


def make(storage: Any, calls: list[Call]) -> None:
    """Make the calls, some of them through a handle."""
    for instrument, value, given_labels in calls:
        live = storage.recorder(instrument)
        if instrument in HANDLED and value != 1:
            getattr(live.with_labels(**given_labels), METHODS[instrument])(value)
        else:
            getattr(live, METHODS[instrument])(value, **given_labels)


def through_storage(calls: list[Call], preference: str) -> ScopeMetrics:
    """Return what the package itself exports after the calls."""
    storage = MetricStorage(Faults())
    make(storage, calls)
    return MetricProducer(storage, preference).collect()


def through_api(calls: list[Call], preference: str) -> ScopeMetrics:
    """Return what the SDK exports after the calls."""
    reader = InMemoryMetricReader(preferred_temporality=dict(PREFERENCES[preference]))
    make(ApiStorage(MeterProvider([reader], shutdown_on_exit=False)), calls)
    data = reader.get_metrics_data()
    if data is None:
        return ScopeMetrics(SCOPE, [], "")
    return data.resource_metrics[0].scope_metrics[0]


def otlp(collected: ScopeMetrics) -> dict[str, Any]:
    """Return the encoded metrics by name, without the differences that remain."""
    resource = ResourceMetrics(Resource.get_empty(), [collected], "")
    message = encode_metrics(MetricsData([resource]))
    metrics = {m.name: m for m in message.resource_metrics[0].scope_metrics[0].metrics}
    for name in ("otel_meta.series", "otel_meta.series.limit"):
        metrics.pop(name, None)
    for metric in metrics.values():
        points = getattr(metric, str(metric.WhichOneof("data"))).data_points
        for point in points:
            for field in ("start_time_unix_nano", "time_unix_nano", "exemplars", "min", "max"):
                if field in point.DESCRIPTOR.fields_by_name:
                    point.ClearField(field)
            point.attributes.sort(key=lambda each: each.key)
        points.sort(key=lambda point: str(point.attributes))
    return {name: str(metric) for name, metric in metrics.items() if not is_unchanged(metric)}


def is_unchanged(metric: Any) -> bool:
    """Remove deltas of zero; return True if no point is left."""
    data = getattr(metric, metric.WhichOneof("data"))
    if getattr(data, "aggregation_temporality", None) == AGGREGATION_TEMPORALITY_DELTA:
        changed = [point for point in data.data_points if getattr(point, "as_double", 1)]
        del data.data_points[:]
        data.data_points.extend(changed)
    return not data.data_points


@pytest.mark.parametrize("preference", PREFERENCES)
@settings(max_examples=60, deadline=None)
@given(calls=CALLS)
def test_equal_calls_give_equal_otlp(preference: str, calls: list[Call]) -> None:
    """Points, attributes, buckets, units, descriptions and temporality are equal."""
    assert otlp(through_storage(calls, preference)) == otlp(through_api(calls, preference))
