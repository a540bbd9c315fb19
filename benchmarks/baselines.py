"""Instruments of otel_meta, of the SDK and of prometheus_client for comparisons."""

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
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
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
    """The measured instruments."""

    runs = Counter("flow.runs", "Runs.", Task, max_series=10_000)
    waiting = Gauge("flow.waiting", "Waiting.", Task)
    duration = Histogram("flow.duration", "Durations.", Task, unit="s", buckets=BUCKETS)


def ours() -> tuple[Flow, MetricStorage]:
    """Return live instruments of otel_meta and their storage."""
    storage = MetricStorage(Faults())
    return bind(Flow, storage), storage


def meter() -> Meter:
    """Return a meter of the SDK."""
    return MeterProvider([InMemoryMetricReader()]).get_meter("benchmark")


def sdk_histogram() -> SdkHistogram:
    """Return a histogram of the SDK."""
    return meter().create_histogram(
        "flow.duration", unit="s", explicit_bucket_boundaries_advisory=BUCKETS
    )


def tracer(storage: MetricStorage) -> Tracer:
    """Return a tracer that samples every span and feeds the exemplars of the storage."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SampledSpanCounter(storage.spans))
    return provider.get_tracer("benchmark")


def client_counter() -> PrometheusCounter:
    """Return a counter of prometheus_client."""
    return PrometheusCounter("flow_runs", "_", list(LABELS), registry=CollectorRegistry())


def client_gauge() -> PrometheusGauge:
    """Return a gauge of prometheus_client."""
    return PrometheusGauge("flow_waiting", "_", list(LABELS), registry=CollectorRegistry())


def client_histogram() -> PrometheusHistogram:
    """Return a histogram of prometheus_client."""
    options: dict[str, Any] = {"buckets": BUCKETS, "registry": CollectorRegistry()}
    return PrometheusHistogram("flow_seconds", "_", list(LABELS), **options)
