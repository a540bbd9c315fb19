"""The same instruments as each contender has them."""

from __future__ import annotations

from typing import Any, Final, Literal

from opentelemetry.metrics import Histogram as SdkHistogram
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client import Histogram as PrometheusHistogram

from otel_meta import Counter, Gauge, Histogram, MetaRepo, labels
from otel_meta.runtime.recording.bind import bind
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LABELS: Final = {"dag": "orders", "task": "load", "state": "success"}
SDK: Final = "SDK"
CLIENT: Final = "prometheus_client"


@labels
class Task:
    """Three labels, one of them closed."""

    dag: str
    task: str
    state: Literal["success", "failed"] = "success"


class Flow(MetaRepo, name="flow", owner="data"):
    """Something to measure."""

    runs = Counter("flow.runs", "Runs.", Task, max_series=10_000)
    waiting = Gauge("flow.waiting", "Waiting.", Task)
    duration = Histogram("flow.duration", "Durations.", Task, unit="s", buckets=BUCKETS)


def ours() -> tuple[Flow, MetricStorage]:
    """Our instruments, and where they record."""
    storage = MetricStorage(Faults())
    return bind(Flow, storage), storage


def meter() -> Meter:
    """The SDK's."""
    return MeterProvider([InMemoryMetricReader()]).get_meter("benchmark")


def sdk_histogram() -> SdkHistogram:
    """The SDK's histogram."""
    return meter().create_histogram(
        "flow.duration", unit="s", explicit_bucket_boundaries_advisory=BUCKETS
    )


def tracer(storage: MetricStorage) -> Tracer:
    """One that samples everything, and that our accumulators know of."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(storage.spans)
    return provider.get_tracer("benchmark")


def client_counter() -> PrometheusCounter:
    """prometheus_client's counter."""
    return PrometheusCounter("flow_runs", "_", list(LABELS), registry=CollectorRegistry())


def client_gauge() -> PrometheusGauge:
    """prometheus_client's gauge."""
    return PrometheusGauge("flow_waiting", "_", list(LABELS), registry=CollectorRegistry())


def client_histogram() -> PrometheusHistogram:
    """prometheus_client's histogram."""
    options: dict[str, Any] = {"buckets": BUCKETS, "registry": CollectorRegistry()}
    return PrometheusHistogram("flow_seconds", "_", list(LABELS), **options)
