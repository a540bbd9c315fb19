"""Servers with the arguments of the compose file, except for folders and ports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.cli import main
from otel_meta.testing.servers import ALERTMANAGER, PROMETHEUS, Backend
from tests.render.stack.committed_stack import STACK, compose
from tests.rules.committed_rules import committed_groups
from tests.rules.prometheus_server import Prometheus, fetch
from tests.runtime.export.raw_server import RawServer, http
from tests.waiting import wait_until

PROGRAMS = {"prometheus": PROMETHEUS, "alertmanager": ALERTMANAGER}
"""The programs with arguments for folders and ports of a test."""


@contextmanager
def started(service: str, folder: Path, stack: Path = STACK) -> Iterator[Backend]:
    """Run the server of a service with its arguments in the compose file, except for folders.

    Args:
        service: the name in the compose file.
        folder: the data and the log of the server.
        stack: the folder of the server's configuration.
    """
    composed = tuple(a for a in compose()[service]["command"] if "=/" not in a)
    flags = {a.partition("=")[0] for a in composed}
    program = PROGRAMS[service]
    own = tuple(a for a in program.arguments if a.partition("=")[0] not in flags)
    file = stack / f"{service}.yml"
    arguments = tuple(a.replace("{config}", str(file)) for a in own)
    server = Backend(
        program=replace(program, arguments=arguments),
        folder=folder,
        config="",
        port=0,
        more=composed,
    )
    with server:
        yield server.wait_until_ready()


class TestPrometheus:
    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[Prometheus, Backend]]:
        """A client of a Prometheus, and its server."""
        with started("prometheus", tmp_path) as server:
            yield Prometheus(server.url), server

    def test_prometheus_accepts_flags_and_configuration(
        self, served: tuple[Prometheus, Backend]
    ) -> None:
        """Prometheus knows every flag, loads every rule, scrapes every job, and accepts OTLP."""
        prometheus, server = served
        groups = self.get(prometheus, "rules")["groups"]
        expected = [group["name"] for groups in committed_groups().values() for group in groups]

        assert sorted(expected) == sorted(group["name"] for group in groups)
        jobs = {"sidecars", "services", "collectors", "monitoring"}
        wait_until(lambda: jobs == {*self.get(prometheus, "scrape_pools")["scrapePools"]})
        assert "Unknown option" not in server.log()
        assert b"" == self.push(prometheus)

    def test_service_of_reader_is_line_of_targets_file(self, tmp_path: Path) -> None:
        """A service of the reader is a line in a file of targets; its own labels stay."""
        page = b'orders_total{job="shop",endpoint="/buy"} 1\n'
        answer = http("200 OK", page, content_type="text/plain; version=0.0.4")
        assert 0 == main(["generate", "--out", str(tmp_path)])
        with (
            RawServer(answer) as service,
            started("prometheus", tmp_path / "run", tmp_path / "stack") as server,
        ):
            target = {"targets": [f"127.0.0.1:{service.port}"], "labels": {"cluster": "eu1"}}
            targets = tmp_path / "stack" / "targets" / "services-shop.yml"
            targets.write_text(yaml.safe_dump([target]))
            prometheus = Prometheus(server.url)
            wait_until(lambda: self.get(prometheus, "query?query=orders_total")["result"])
            (series,) = self.get(prometheus, "query?query=orders_total")["result"]

        labels = {"job": "shop", "endpoint": "/buy", "cluster": "eu1"}
        assert labels.items() <= series["metric"].items()

    def get(self, prometheus: Prometheus, path: str) -> Any:
        """Return the data of an API response."""
        return json.loads(fetch(f"{prometheus.url}/api/v1/{path}"))["data"]

    def push(self, prometheus: Prometheus) -> bytes:
        """Send an OTLP request without metrics, in JSON, and return the response."""
        return fetch(f"{prometheus.url}/api/v1/otlp/v1/metrics", {"resourceMetrics": []})


class TestAlertmanager:
    def test_alertmanager_accepts_flags_and_receivers(self, tmp_path: Path) -> None:
        """Alertmanager knows every flag, and has each receiver of its configuration."""
        with started("alertmanager", tmp_path) as server:
            receivers = json.loads(fetch(f"{server.url}/api/v2/receivers"))

        assert {"page", "ticket", "watchdog"} == {receiver["name"] for receiver in receivers}
