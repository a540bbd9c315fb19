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

_RANGE = re.compile(r"\[\w+(:\w+)?\]")
_OFFSET = re.compile(r"offset \w+")
_TIMEOUT = 20.0


def shorten_ranges(expr: str) -> str:
    """Shorten all ranges of a query to 20 seconds, and all offsets to 3 seconds."""
    short = _RANGE.sub(lambda match: "[20s:1s]" if match[1] else "[20s]", expr)
    return _OFFSET.sub("offset 3s", short)


class Prometheus:
    """A client of a Prometheus server."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def values(self, expr: str) -> list[float]:
        """Query the latest values."""
        answer = self._client.get("/api/v1/query", params={"query": expr}).json()
        assert "success" == answer["status"], (expr, answer)
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def label_values(self, series: str, label: str) -> list[str]:
        """Query the values of a label, as a dashboard variable does."""
        response = self._client.get(f"/api/v1/label/{label}/values", params={"match[]": series})
        data: list[str] = response.json()["data"]
        return data


@contextmanager
def prometheus(folder: Path, port: int, paths: list[str]) -> Iterator[Prometheus]:
    """Run Prometheus in a folder; it scrapes the paths of a port on loopback."""
    for path in sorted((ROOT / "rules").glob("*.yml")):
        _write(folder / "rules" / path.name, _shortened_rules(yaml.safe_load(path.read_text())))
    config = yaml.safe_dump(_configuration(port, paths))
    server = Backend(program=PROMETHEUS, folder=folder, config=config, port=0)
    with server:
        client = Prometheus(server.wait_until_ready().url)
        yield client
        client.close()


def _configuration(port: int, paths: list[str]) -> Mapping[str, Any]:
    targets = [{"targets": [f"127.0.0.1:{port}"]}]
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {"job_name": path, "metrics_path": f"/{path}", "static_configs": targets}
            for path in paths
        ],
    }


def _shortened_rules(file: Any) -> Any:
    for group in file["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = shorten_ranges(rule["expr"])
            rule.pop("for", None)
    return file


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
