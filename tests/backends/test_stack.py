"""Servers started as the compose file starts them, but for folders and ports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.testing.servers import ALERTMANAGER, PROMETHEUS, Backend
from tests.render.stack.committed_stack import STACK, compose
from tests.rules.pinned_tools import RULES
from tests.rules.prometheus_server import Prometheus, fetch

PROGRAMS = {"prometheus": PROMETHEUS, "alertmanager": ALERTMANAGER}
"""With folders and ports of their own."""


@contextmanager
def started(service: str, folder: Path) -> Iterator[Backend]:
    """The server of a service, with its arguments but for those that name folders there."""
    named = tuple(a for a in compose()[service]["command"] if "=/" not in a)
    flags = {a.partition("=")[0] for a in named}
    program = PROGRAMS[service]
    own = tuple(a for a in program.arguments if a.partition("=")[0] not in flags)
    file = STACK / f"{service}.yml"
    arguments = tuple(a.replace("{config}", str(file)) for a in own)
    server = Backend(
        program=replace(program, arguments=arguments), folder=folder, config="", port=0, more=named
    )
    with server:
        yield server.wait_until_ready()


class TestPrometheus:
    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[Prometheus, Backend]]:
        """A Prometheus, and its process."""
        with started("prometheus", tmp_path) as server:
            yield Prometheus(server.url), server

    def test_takes_everything(
        self, served: tuple[Prometheus, Backend], eventually: Callable[[Callable[[], Any]], None]
    ) -> None:
        """It knows every flag, loads every rule, scrapes every job, and takes OTLP."""
        prometheus, server = served
        groups = self.ask(prometheus, "rules")["groups"]
        expected = [
            group["name"]
            for path in RULES.glob("*.yml")
            for group in yaml.safe_load(path.read_text())["groups"]
        ]

        assert sorted(expected) == sorted(group["name"] for group in groups)
        jobs = {"sidecars", "services", "collectors", "monitoring"}
        eventually(lambda: jobs == {*self.ask(prometheus, "scrape_pools")["scrapePools"]})
        assert "Unknown option" not in server.log()
        assert b"" == self.push(prometheus)

    def ask(self, prometheus: Prometheus, what: str) -> Any:
        """Its own API."""
        return json.loads(fetch(f"{prometheus.url}/api/v1/{what}"))["data"]

    def push(self, prometheus: Prometheus) -> bytes:
        """An export without metrics, in JSON."""
        return fetch(f"{prometheus.url}/api/v1/otlp/v1/metrics", {"resourceMetrics": []})


class TestAlertmanager:
    def test_takes_everything(self, tmp_path: Path) -> None:
        """It knows every flag, and each receiver of the file."""
        with started("alertmanager", tmp_path) as server:
            receivers = json.loads(fetch(f"{server.url}/api/v2/receivers"))

        assert {"page", "ticket", "watchdog"} == {receiver["name"] for receiver in receivers}
