"""Series that are born with their first events, under the flags of the compose file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from otel_meta import Counter, MetaRepo, labels
from otel_meta.testing import CapturedTelemetry, capture
from otel_meta.testing.servers import Backend
from tests.backends.collector_server import Collector
from tests.backends.generated_prometheus import STOCK, port_of, prometheus, scrape_of, values
from tests.rules.prometheus_server import fetch
from tests.waiting import TIMEOUT, wait_until

WAYS = ("OpenMetrics 2.0", "OpenMetrics 1.0", "sidecar", "pushed")
"""Ways with the start of a series alone."""
ZERO_FIRST = "zero first"
"""OpenMetrics 2.0 with the start, and with a zero before the first value."""
SAMPLES = 3


@labels
class Reason:
    """A label with any value, so that no series begins at zero."""

    reason: str


class Births(MetaRepo, name="births", owner="tests"):
    """One counter, whose series are born with their first events."""

    failures = Counter("births.failures", "Failures.", Reason)


FAILURES = Births.failures.prometheus_name


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Collector]:
    """A sidecar with the committed configuration."""
    with Collector("sidecar.yaml", tmp_path / "sidecar") as collector:
        yield collector.wait_until_ready()


def by_way(server: Backend, expr: str) -> dict[str, float]:
    """Return the value of a query by the way of export, which is the name of a service."""
    answer = json.loads(fetch(f"{server.url}/api/v1/query?{urlencode({'query': expr})}"))
    found = answer["data"]["result"]
    return {each["metric"].get("service_name", ""): float(each["value"][1]) for each in found}


class Fleet:
    """A service for each way of export, and two Prometheus servers: with the flags and without."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        collector = Collector("sidecar.yaml", folder / "sidecar")
        stack.enter_context(collector)
        collector.wait_until_ready()
        pages = [
            self._service(WAYS[0], prometheus_port=0),
            self._service(WAYS[1], prometheus_port=0, prometheus_created=True),
            self._service(ZERO_FIRST, prometheus_port=0, scrape_interval=1.0),
        ]
        self._pushing = [self._service("sidecar", metrics="otlp", otlp_endpoint=collector.otlp)]
        jobs = (
            scrape_of("page", port_of(pages[0])),
            scrape_of("created", port_of(pages[1]), scrape_protocols=["OpenMetricsText1.0.0"]),
            scrape_of("zero-first", port_of(pages[2])),
            scrape_of("sidecar", collector.ports["METRICS"]),
        )
        self.with_flags = self._prometheus(folder / "with", *jobs)
        self.stock = self._prometheus(folder / "stock", *jobs, flags=(), more=STOCK)
        self._services = [*pages, *self._pushing]

    def count_first_failure(self) -> None:
        """Count one failure on every way, after some scrapes, and wait for samples of it."""
        scraped = f"count_over_time(up[5m]) >= {SAMPLES}"
        wait_until(lambda: all(len(values(each, scraped)) == 4 for each in self._servers))
        for service in self._services:
            service.bind(Births).failures.add(1, reason="first")
        wait_until(self._has_samples)

    @property
    def _servers(self) -> tuple[Backend, ...]:
        return self.with_flags, self.stock

    def _has_samples(self) -> bool:
        for service in self._pushing:
            service.telemetry.flush(TIMEOUT)
        counted = f"count_over_time({FAILURES}[5m]) >= {SAMPLES}"
        return all({*WAYS, ZERO_FIRST} == by_way(each, counted).keys() for each in self._servers)

    def _prometheus(self, folder: Path, *jobs: Mapping[str, Any], **options: Any) -> Backend:
        server = self._stack.enter_context(prometheus(folder, *jobs, **options))
        endpoint = f"{server.wait_until_ready().url}/api/v1/otlp"
        self._pushing.append(self._service("pushed", metrics="otlp", otlp_endpoint=endpoint))
        return server

    def _service(self, name: str, **settings: Any) -> CapturedTelemetry:
        return self._stack.enter_context(
            capture(name, Births, traces="none", logs="none", **settings)
        )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet in which each series was born with one failure."""
    with ExitStack() as stack:
        fleet = Fleet(stack, tmp_path_factory.mktemp("births"))
        fleet.count_first_failure()
        yield fleet


def test_first_failure_counts_on_every_way_with_flags(fleet: Fleet) -> None:
    """With the flags, a series that is born at 1 has an increase of 1, also after two zeros."""
    found = by_way(fleet.with_flags, f"increase({FAILURES}[5m] anchored)")

    assert dict.fromkeys((*WAYS, ZERO_FIRST), 1.0) == found


def test_first_failure_counts_without_flags_only_after_a_zero(fleet: Fleet) -> None:
    """Without the flags, the increase is 0 on every way that does not begin with a zero."""
    found = by_way(fleet.stock, f"increase({FAILURES}[5m] anchored)")

    assert {**dict.fromkeys(WAYS, 0.0), ZERO_FIRST: 1.0} == found


def test_exemplars_of_sidecar_are_stored(sidecar: Collector, tmp_path: Path) -> None:
    """The exemplars of a sidecar's histograms are stored, also in the format with start times."""
    job = scrape_of("sidecars", sidecar.ports["METRICS"])
    with prometheus(tmp_path / "prometheus", job) as server:
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
