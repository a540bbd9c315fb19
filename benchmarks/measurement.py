"""What a measurement costs, against what a user would use instead, measured in one run.

Each contender is timed in turn, round after round, so that a noisy machine disturbs all alike; the
best round of each counts. Run it with ``make bench``.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from timeit import Timer
from typing import Final, NamedTuple

from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram as PrometheusHistogram

from otel_meta.repos import Aurora, Chronos
from otel_meta.testing import capture

ROUNDS: Final = 9
CALLS: Final = 20_000

Call = Callable[[], object]


class Row(NamedTuple):
    """A comparison: what is measured, and how long each contender takes, in microseconds."""

    what: str
    ours: float
    sdk: float
    prometheus_client: float


def counter_calls() -> tuple[Call, Call, Call]:
    """Adding to a counter with three labels."""
    labels = {"dag": "orders", "task": "load", "state": "success"}
    with capture() as captured:
        ours = captured.bind(Chronos).airflow_task_runs.add
    sdk = _meter().create_counter("airflow.task.runs").add
    names = list(labels)
    client = PrometheusCounter("airflow_task_runs", "_", names, registry=CollectorRegistry())
    return (
        lambda: ours(1, dag="orders", task="load", state="success"),
        lambda: sdk(1, labels),
        lambda: client.labels(dag="orders", task="load", state="success").inc(),
    )


def histogram_calls() -> tuple[Call, Call, Call]:
    """Recording into a histogram with two labels."""
    labels = {"operation": "select", "table": "orders"}
    buckets = Aurora.query_duration.buckets
    with capture() as captured:
        ours = captured.bind(Aurora).query_duration.record
    sdk = _meter().create_histogram(
        "database.query.duration", unit="s", explicit_bucket_boundaries_advisory=buckets
    )
    client = PrometheusHistogram(
        "query_seconds", "_", list(labels), buckets=buckets, registry=CollectorRegistry()
    )
    return (
        lambda: ours(0.02, operation="select", table="orders"),
        lambda: sdk.record(0.02, labels),
        lambda: client.labels(operation="select", table="orders").observe(0.02),
    )


def measure(what: str, calls: tuple[Call, Call, Call]) -> Row:
    """Time the contenders in turn; the best round of each counts."""
    timers = [Timer(call) for call in calls]
    best = [float("inf")] * len(timers)
    for _ in range(ROUNDS):
        taken = [timer.timeit(CALLS) / CALLS * 1e6 for timer in timers]
        best = [min(pair) for pair in zip(best, taken, strict=True)]
    return Row(what, *best)


def main() -> None:
    """Print the table."""
    packages = ("opentelemetry-sdk", "prometheus-client")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()} on {platform.machine()}; {versions}\n")
    print("| a measurement | otel_meta | SDK | prometheus_client | to SDK | to prometheus_client |")
    print("|---|---|---|---|---|---|")
    rows = {
        "counter.add, 3 labels": counter_calls(),
        "histogram.record, 2 labels": histogram_calls(),
    }
    for what, calls in rows.items():
        row = measure(what, calls)
        print(
            f"| {row.what} | {row.ours:.2f} µs | {row.sdk:.2f} µs | {row.prometheus_client:.2f} µs "
            f"| {row.ours / row.sdk:.3f} | {row.ours / row.prometheus_client:.3f} |"
        )


def _meter() -> Meter:
    return MeterProvider([InMemoryMetricReader()]).get_meter("benchmark")


if __name__ == "__main__":
    main()
