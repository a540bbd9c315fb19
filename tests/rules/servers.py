"""A real Prometheus over backfilled data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.rules.support import tool

PATIENCE = 30.0
"""Seconds until something that should happen is taken not to happen."""

_OPEN = build_opener(ProxyHandler({})).open


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Prometheus on the blocks in a folder's ``data``."""
    server = Backend(
        program=PROMETHEUS,
        folder=folder,
        config="global: {scrape_interval: 1h}\n",
        port=0,
        more=("--storage.tsdb.retention.time=100y",),
    )
    with server:
        yield Prometheus(server.wait_until_ready().url)


class Prometheus:
    """What a Prometheus knows."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, expr: str, at: float) -> tuple[dict[str, float], int]:
        """The answer by service, and how many samples were read for it."""
        query = urlencode({"query": expr, "time": at, "stats": "all"})
        data = json.loads(fetch(f"{self.url}/api/v1/query?{query}"))["data"]
        values = {one["metric"]["service_name"]: float(one["value"][1]) for one in data["result"]}
        return values, data["stats"]["samples"]["totalQueryableSamples"]

    def course(self, expr: str, start: float, end: float) -> Iterator[tuple[str, float, str]]:
        """Each five minutes' answer: by service, when, and as it is written."""
        query = urlencode({"query": expr, "start": start, "end": end, "step": 300})
        data = json.loads(fetch(f"{self.url}/api/v1/query_range?{query}"))["data"]
        for one in data["result"]:
            yield from ((one["metric"]["service_name"], at, value) for at, value in one["values"])


def fetch(url: str, body: Any = None) -> bytes:
    """Get, or post as JSON, on loopback and past any proxy."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})
    with _OPEN(request, timeout=PATIENCE) as response:
        content: bytes = response.read()
        return content


def backfill(samples: Path, data: Path) -> None:
    """OpenMetrics text to blocks."""
    command = [tool("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    done = subprocess.run(
        [*command, "--max-block-duration=768h", "-q", samples, data],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
