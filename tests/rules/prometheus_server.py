"""A real Prometheus with backfilled data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request

from otel_meta.testing.loopback import open_url
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.rules.pinned_tools import tool

PATIENCE = 30.0
"""Seconds until a test stops waiting."""


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus on the blocks in a folder's ``data``."""
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
    """Queries to a Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, expr: str, at: float) -> tuple[dict[str, float], int]:
        """Return the values by service, and the number of samples read."""
        query = urlencode({"query": expr, "time": at, "stats": "all"})
        data = json.loads(fetch(f"{self.url}/api/v1/query?{query}"))["data"]
        values = {one["metric"]["service_name"]: float(one["value"][1]) for one in data["result"]}
        return values, data["stats"]["samples"]["totalQueryableSamples"]

    def course(self, expr: str, start: float, end: float) -> Iterator[tuple[str, float, str]]:
        """Yield service, time and value for each five minutes."""
        query = urlencode({"query": expr, "start": start, "end": end, "step": 300})
        data = json.loads(fetch(f"{self.url}/api/v1/query_range?{query}"))["data"]
        for one in data["result"]:
            yield from ((one["metric"]["service_name"], at, value) for at, value in one["values"])


def fetch(url: str, body: Any = None, **query: str) -> bytes:
    """Send a GET request with a query, or a POST request with JSON, without any proxy."""
    data = None if body is None else json.dumps(body).encode()
    address = f"{url}?{urlencode(query)}" if query else url
    request = Request(address, data, {"Content-Type": "application/json"})
    with open_url(request, timeout=PATIENCE) as response:
        content: bytes = response.read()
        return content


def backfill(samples: Path, data: Path) -> None:
    """Write blocks from OpenMetrics text."""
    command = [str(tool("promtool")), "tsdb", "create-blocks-from", "openmetrics"]
    done = subprocess.run(
        [*command, "--max-block-duration=768h", "-q", str(samples), str(data)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
