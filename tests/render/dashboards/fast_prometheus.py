"""A real Prometheus with the committed rules, their ranges of days shortened to seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.render.dashboards.rendered_dashboards import ROOT
from tests.yaml_files import read_yaml

_RANGE = re.compile(r"\[\w+(:\w+)?\]")
_OFFSET = re.compile(r"offset \w+")
_TIMEOUT = 20.0
_EVERY = "3s"
"""The interval of scrapes and of rules, and the time limit of a scrape on a busy machine."""


def shorten_ranges(expr: str) -> str:
    """Shorten all ranges of a query to 20 seconds, and all offsets to 4 seconds."""
    short = _RANGE.sub(lambda match: "[20s:1s]" if match[1] else "[20s]", expr)
    return _OFFSET.sub("offset 4s", short)


class Prometheus:
    """A client of a Prometheus server."""

    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://")
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def values(self, expr: str) -> list[float]:
        """Query the latest values."""
        return [float(series["value"][1]) for series in self.series(expr)]

    def series(self, expr: str) -> list[Any]:
        """Query the labels and the latest value of each series."""
        answer = self._client.get("/api/v1/query", params={"query": expr}).json()
        assert "success" == answer["status"], (expr, answer)
        result: list[Any] = answer["data"]["result"]
        return result

    def label_values(self, series: str, label: str) -> list[str]:
        """Query the values of a label, as a dashboard variable does."""
        response = self._client.get(f"/api/v1/label/{label}/values", params={"match[]": series})
        data: list[str] = response.json()["data"]
        return data


@contextmanager
def prometheus(
    folder: Path,
    port: int,
    paths: list[str],
    *,
    cluster: str = "",
    environments: tuple[str, ...] = ("",),
    global_view: Prometheus,
) -> Iterator[Prometheus]:
    """Run Prometheus in a folder with the rules; it scrapes the paths of a port on loopback.

    Args:
        folder: for configuration and data.
        port: of the services.
        paths: a path for each service.
        cluster: the external label; empty for none.
        environments: each service is scraped once for each environment.
        global_view: the server that receives all series.
    """
    for path in sorted((ROOT / "rules").glob("*.yml")):
        _write(folder / "rules" / path.name, _shortened_rules(read_yaml(path.read_text())))
    config = {
        "global": {
            **dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), _EVERY),
            "external_labels": {"cluster": cluster} if cluster else {},
        },
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [_scraped(port, path, name) for path in paths for name in environments],
        "remote_write": [
            {
                "url": f"http://{global_view.address}/api/v1/write",
                "queue_config": {"batch_send_deadline": "1s"},
            }
        ],
    }
    with _server(folder, config) as client:
        yield client


@contextmanager
def empty_prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus without rules that receives the series of other servers.

    A busy machine delays what it receives. A federation of ten thousands of series would exceed
    the time limit of a scrape instead, and lose all of them.
    """
    with _server(folder, {}, "--web.enable-remote-write-receiver") as client:
        yield client


@contextmanager
def _server(folder: Path, config: Mapping[str, Any], *more: str) -> Iterator[Prometheus]:
    text = yaml.safe_dump(config)
    with Backend(program=PROMETHEUS, folder=folder, config=text, port=0, more=more) as server:
        client = Prometheus(server.wait_until_ready().url)
        yield client
        client.close()


def _scraped(port: int, path: str, environment: str) -> Mapping[str, Any]:
    labels = {"deployment_environment_name": environment} if environment else {}
    return {
        "job_name": f"{path} {environment}",
        "metrics_path": f"/{path}",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": labels}],
    }


def _shortened_rules(file: Any) -> Any:
    for group in file["groups"]:
        group["interval"] = _EVERY
        for rule in group["rules"]:
            rule["expr"] = shorten_ranges(rule["expr"])
            rule.pop("for", None)
    return file


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
