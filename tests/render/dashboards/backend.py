"""A real Prometheus with the committed rules, whose days last seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.render.dashboards.support import ROOT

_RANGE = re.compile(r"\[\w+(:\w+)?\]")
_OFFSET = re.compile(r"offset \w+")
_PATIENCE = 20.0


def hurried(expr: str) -> str:
    """A query with every span of time cut to seconds, names and labels untouched."""
    short = _RANGE.sub(lambda found: "[20s:1s]" if found[1] else "[20s]", expr)
    return _OFFSET.sub("offset 3s", short)


class Prometheus:
    """Asks a server."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_PATIENCE, trust_env=False)

    def close(self) -> None:
        """Ask no more."""
        self._client.close()

    def values(self, expr: str) -> list[float]:
        """The latest values of a query's series."""
        answer = self._client.get("/api/v1/query", params={"query": expr}).json()
        assert answer["status"] == "success", (expr, answer)
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def label_values(self, series: str, label: str) -> list[str]:
        """What a variable's menu holds."""
        found = self._client.get(f"/api/v1/label/{label}/values", params={"match[]": series})
        data: list[str] = found.json()["data"]
        return data


@contextmanager
def prometheus(folder: Path, scraped: int, paths: list[str]) -> Iterator[Prometheus]:
    """Run it in a folder, scraping these paths of a port."""
    for path in sorted((ROOT / "rules").glob("*.yml")):
        _write(folder / "rules" / path.name, _hurried_rules(yaml.safe_load(path.read_text())))
    config = yaml.safe_dump(_configuration(scraped, paths))
    server = Backend(program=PROMETHEUS, folder=folder, config=config, port=0)
    with server:
        asking = Prometheus(server.wait_until_ready().url)
        yield asking
        asking.close()


def _configuration(scraped: int, paths: list[str]) -> Mapping[str, Any]:
    targets = [{"targets": [f"127.0.0.1:{scraped}"]}]
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {"job_name": path, "metrics_path": f"/{path}", "static_configs": targets}
            for path in paths
        ],
    }


def _hurried_rules(file: Any) -> Any:
    for group in file["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = hurried(rule["expr"])
            rule.pop("for", None)
    return file


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
