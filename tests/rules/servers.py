"""A real Prometheus over backfilled data."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from .support import tool

PATIENCE = 30.0
"""Seconds until something that should happen is taken not to happen."""

_OPEN = build_opener(ProxyHandler({})).open


@contextmanager
def running(command: list[str | Path], log: Path) -> Iterator[str]:
    """A server on a port that it chose itself; its URL, as its log names it."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield f"http://{_address(process, log)}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r'msg="Listening on" .*?address=(127\.0\.0\.1:\d+)', log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"{process.args!r} does not serve:\n{log.read_text()}")


@contextmanager
def prometheus(data: Path) -> Iterator[Prometheus]:
    """Prometheus on a folder of blocks."""
    config = data.parent / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1h}\n")
    command: list[str | Path] = [
        tool("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
    ]
    with running(command, data.parent / "prometheus.log") as url:
        served = Prometheus(url)
        served.wait()
        yield served


class Prometheus:
    """What a Prometheus knows."""

    def __init__(self, url: str) -> None:
        self.url = url

    def wait(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fetch(f"{self.url}/-/ready")
            except OSError:
                assert time.monotonic() < deadline, "Prometheus does not get ready"
                time.sleep(0.05)
            else:
                return

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
