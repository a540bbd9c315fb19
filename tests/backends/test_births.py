"""Series that are born with their first events, under the flags of the compose file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from otel_meta.repos import Titan
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.backends.collector_server import Collector
from tests.backends.faults.service_process import service_process
from tests.render.stack.committed_stack import compose
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until

FLAGS = tuple(
    flag for flag in compose()["prometheus"]["command"] if flag.startswith("--enable-feature=")
)
FAILURES = f'{Titan.event_failures.prometheus_name}{{reason="internal"}}'
EVENTS = 3


def prometheus(folder: Path, sidecar: Collector, flags: tuple[str, ...]) -> Backend:
    """Return a Prometheus that scrapes a sidecar, as the compose file does, but each second."""
    target = {"targets": [f"127.0.0.1:{sidecar.ports['METRICS']}"]}
    job = {"job_name": "sidecars", "honor_labels": True, "static_configs": [target]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    return Backend(
        program=PROMETHEUS, folder=folder, config=yaml.safe_dump(config), port=0, more=flags
    )


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Collector]:
    """A sidecar with the committed configuration."""
    with Collector("sidecar.yaml", tmp_path / "sidecar") as collector:
        yield collector.wait_until_ready()


def values(server: Backend, expr: str) -> list[float]:
    """Return the value of each series in the result of a query."""
    answer = json.loads(fetch(f"{server.url}/api/v1/query?{urlencode({'query': expr})}"))
    return [float(series["value"][1]) for series in answer["data"]["result"]]


def increase_of_job(folder: Path, sidecar: Collector, flags: tuple[str, ...]) -> float:
    """Run a job that counts some failures, exports once and ends; return Prometheus' increase."""
    with prometheus(folder / "prometheus", sidecar, flags) as server:
        server.wait_until_ready()
        with service_process(OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.otlp) as job:
            job.run("fail", EVENTS)
            job.run("flush")
        samples = f"count_over_time({FAILURES}[5m])"
        wait_until(lambda: [value for value in values(server, samples) if value >= 3])
        (value,) = values(server, f"increase({FAILURES}[5m] anchored)")
    return value


def test_failures_of_job_count_although_its_series_is_born_with_them(
    sidecar: Collector, tmp_path: Path
) -> None:
    """The failures of a job count, although its series is born with them."""
    assert EVENTS == increase_of_job(tmp_path, sidecar, FLAGS)


def test_failures_of_job_do_not_count_without_flag(sidecar: Collector, tmp_path: Path) -> None:
    """Without the flag, the failures do not count: the series begins at its last value."""
    assert 0 == increase_of_job(tmp_path, sidecar, ())


def test_exemplars_of_sidecar_are_stored(sidecar: Collector, tmp_path: Path) -> None:
    """The exemplars of a sidecar's histograms are stored, also in the format with start times."""
    with prometheus(tmp_path / "prometheus", sidecar, FLAGS) as server:
        server.wait_until_ready()
        send_exemplar(sidecar.otlp)
        path = f"{server.url}/api/v1/query_exemplars?query=wait_seconds_bucket&start=0&end=9e9"
        wait_until(lambda: json.loads(fetch(path))["data"])
        (series,) = json.loads(fetch(path))["data"]

    assert "0af7651916cd43dd8448eb211c80319c" == series["exemplars"][0]["labels"]["trace_id"]


def send_exemplar(otlp: str) -> None:
    """Send a histogram with one value and its exemplar."""
    now = str(time.time_ns())
    exemplar = {
        "timeUnixNano": now,
        "asDouble": 0.05,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
    }
    point = {
        "startTimeUnixNano": now,
        "timeUnixNano": now,
        "count": "1",
        "sum": 0.05,
        "bucketCounts": ["1", "0"],
        "explicitBounds": [0.1],
        "exemplars": [exemplar],
    }
    histogram = {"aggregationTemporality": 2, "dataPoints": [point]}
    metric = {"name": "wait", "unit": "s", "histogram": histogram}
    scope = {"metrics": [metric]}
    fetch(f"{otlp}/v1/metrics", {"resourceMetrics": [{"resource": {}, "scopeMetrics": [scope]}]})
