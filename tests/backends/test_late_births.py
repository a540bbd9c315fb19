"""Series that are born late on a stock Prometheus: no flags, plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from otel_meta.repos import Titan
from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.backends.collector_server import Collector
from tests.backends.faults.service_process import ServiceProcess, service_process
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until

FAILURES = f'{Titan.event_failures.prometheus_name}{{reason="internal"}}'
WAYS = ("page of a process", "page of workers", "sidecar")
INTERVALS: Mapping[str, str] = {"zero first": "3", "control": "0"}
"""Of these values of OTEL_META_SCRAPE_INTERVAL, 3 is long for a server that scrapes each second."""


class Fleet:
    """Services on each way to Prometheus, with and without the zero."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.sidecar = stack.enter_context(Collector("sidecar.yaml", folder / "sidecar"))
        self.sidecar.wait_until_ready()
        self.pages: list[str] = []
        self.services: dict[tuple[str, str], ServiceProcess] = {}
        """The service of each way and case; of two workers, one."""
        for case, interval in INTERVALS.items():
            self._start_pages(case, interval)
            self._start("sidecar", case, interval, OTEL_EXPORTER_OTLP_ENDPOINT=self.sidecar.otlp)

    def _start_pages(self, case: str, interval: str) -> None:
        self._start("page of a process", case, interval, **self._page())
        page = self._page()
        directory = str(self._folder / f"workers {case}")
        for _ in range(2):
            self._start(
                "page of workers", case, interval, OTEL_META_MULTIPROCESS_DIR=directory, **page
            )

    def _page(self) -> dict[str, str]:
        port = str(free_port())
        self.pages.append(f"127.0.0.1:{port}")
        return {"OTEL_EXPORTER_PROMETHEUS_PORT": port}

    def _start(self, way: str, case: str, interval: str, **variables: str) -> None:
        service = service_process(
            OTEL_META_SCRAPE_INTERVAL=interval,
            OTEL_METRIC_EXPORT_INTERVAL="200",
            OTEL_RESOURCE_ATTRIBUTES=f"deployment.environment.name={way} {case}",
            **variables,
        )
        self.services[way, case] = self._stack.enter_context(service)

    def prometheus(self) -> Backend:
        """Return a stock Prometheus for all pages and for the sidecar."""
        targets = [*self.pages, f"127.0.0.1:{self.sidecar.ports['METRICS']}"]
        job = {
            "job_name": "all",
            "honor_labels": True,
            "scrape_protocols": ["PrometheusText0.0.4"],
            "static_configs": [{"targets": targets}],
        }
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        return Backend(
            program=PROMETHEUS,
            folder=self._folder / "server",
            config=yaml.safe_dump(config),
            port=0,
        )


def by_environment(server: Backend, expr: str) -> dict[str, float]:
    """Return the value of a query by environment."""
    query = urlencode({"query": f"sum by (deployment_environment_name) ({expr})"})
    result = json.loads(fetch(f"{server.url}/api/v1/query?{query}"))["data"]["result"]
    return {
        each["metric"].get("deployment_environment_name", ""): float(each["value"][1])
        for each in result
    }


@pytest.fixture(scope="module")
def increases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, float]]:
    """What Prometheus counts of one failure in each service, after its series had been scraped."""
    with ExitStack() as stack:
        fleet = Fleet(tmp_path_factory.mktemp("births"), stack)
        server = stack.enter_context(fleet.prometheus())
        server.wait_until_ready()
        cases = len(WAYS) * len(INTERVALS)
        wait_until(lambda: cases <= len(by_environment(server, "otel_meta_up > 0")))
        for service in fleet.services.values():
            service.run("fail", 1)
        wait_until(lambda: cases == len(by_environment(server, f"{FAILURES} > 0")))
        samples = f"count_over_time({FAILURES}[5m]) > 2"
        wait_until(lambda: cases == len(by_environment(server, samples)))
        yield by_environment(server, f"increase({FAILURES}[5m])")


@pytest.mark.parametrize("way", WAYS)
def test_first_failure_of_late_series_counts(increases: Mapping[str, float], way: str) -> None:
    """The first failure of a series counts, although the series is born with it."""
    assert 1 == round(increases[f"{way} zero first"])


@pytest.mark.parametrize("way", WAYS)
def test_first_failure_is_hidden_without_zero(increases: Mapping[str, float], way: str) -> None:
    """Without the zero, the first failure does not count: the series begins at its last value."""
    assert 0 == increases[f"{way} control"]
