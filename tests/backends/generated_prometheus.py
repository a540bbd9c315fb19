"""A Prometheus with the flags and formats of the generated stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from otel_meta.testing import CapturedTelemetry
from otel_meta.testing.loopback import LOOPBACK
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.render.stack.committed_stack import compose, read
from tests.rules.prometheus_server import fetch

FLAGS = tuple(
    flag for flag in compose()["prometheus"]["command"] if flag.startswith("--enable-feature=")
)
GENERATED = read("prometheus.yml")
STOCK: Mapping[str, Any] = {}
"""The global options of a Prometheus without the flags."""
WITH_STARTS: Mapping[str, Any] = {"scrape_protocols": GENERATED["global"]["scrape_protocols"]}


def prometheus(
    folder: Path,
    *jobs: Mapping[str, Any],
    flags: tuple[str, ...] = FLAGS,
    more: Mapping[str, Any] = WITH_STARTS,
) -> Backend:
    """Return a Prometheus that scrapes each second."""
    config = {
        "global": {"scrape_interval": "1s", **more},
        "otlp": GENERATED["otlp"],
        "scrape_configs": [{"honor_labels": True, **job} for job in jobs],
    }
    return Backend(
        program=PROMETHEUS, folder=folder, config=yaml.safe_dump(config), port=0, more=flags
    )


def scrape_of(name: str, port: int, **options: Any) -> Mapping[str, Any]:
    """Return a scrape job."""
    targets = [{"targets": [f"{LOOPBACK}:{port}"]}]
    return {"job_name": name, "static_configs": targets, **options}


def port_of(service: CapturedTelemetry) -> int:
    """Return the port of a service's ``/metrics``."""
    metrics = service.telemetry.metrics
    assert metrics is not None
    assert metrics.server is not None
    return metrics.server.port


def values(server: Backend, expr: str) -> list[float]:
    """Return the value of each series in the result of a query."""
    answer = json.loads(fetch(f"{server.url}/api/v1/query?{urlencode({'query': expr})}"))
    return [float(series["value"][1]) for series in answer["data"]["result"]]
