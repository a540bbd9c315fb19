"""Servers started as the compose file starts them, but for folders and ports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.render.stack.support import STACK, compose
from tests.rules.servers import Prometheus, fetch, running
from tests.rules.support import RULES, tool


def arguments(service: str, *others: str) -> list[str]:
    """Its own, without those that name folders of the container."""
    return [a for a in compose()[service]["command"] if "=/" not in a] + [*others]


class TestPrometheus:
    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[Prometheus, Path]]:
        """A Prometheus, and its log."""
        log = tmp_path / "log"
        more = (
            f"--config.file={STACK / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            "--web.listen-address=127.0.0.1:0",
        )
        with running([tool("prometheus"), *arguments("prometheus", *more)], log) as url:
            prometheus = Prometheus(url)
            prometheus.wait()
            yield prometheus, log

    def test_takes_everything(
        self, served: tuple[Prometheus, Path], eventually: Callable[[Callable[[], Any]], None]
    ) -> None:
        """It knows every flag, loads every rule, scrapes every job, and takes OTLP."""
        prometheus, log = served
        groups = self.ask(prometheus, "rules")["groups"]
        expected = [
            group["name"]
            for path in RULES.glob("*.yml")
            for group in yaml.safe_load(path.read_text())["groups"]
        ]

        assert sorted(expected) == sorted(group["name"] for group in groups)
        jobs = {"sidecars", "services", "collectors", "monitoring"}
        eventually(lambda: jobs == {*self.ask(prometheus, "scrape_pools")["scrapePools"]})
        assert "Unknown option" not in log.read_text()
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
        more = (
            f"--config.file={STACK / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'data'}",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        )
        command = [tool("alertmanager"), *arguments("alertmanager", *more)]
        with running(command, tmp_path / "log") as url:
            receivers = json.loads(fetch(f"{url}/api/v2/receivers"))

        assert {"page", "ticket", "watchdog"} == {receiver["name"] for receiver in receivers}
