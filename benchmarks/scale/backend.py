"""The pinned Prometheus on loopback, for the duration of a measurement."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import Request

from otel_meta.testing.loopback import open_url
from otel_meta.testing.pinned_tools import find
from otel_meta.testing.servers import PROMETHEUS, Backend

ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 120.0
"""Seconds to wait for a response, because some measured queries are slow."""


class Prometheus:
    """A client of the HTTP API of Prometheus."""

    def __init__(self, url: str) -> None:
        self.url: Final = url

    def query(self, expr: str, at: float) -> Any:
        """Return the data of an instant query with its statistics."""
        parameters = urlencode({"query": expr, "time": at, "stats": "all"})
        return self.api(f"query?{parameters}")

    def api(self, path: str, method: str = "GET") -> Any:
        """Return the data of any response."""
        return json.loads(self._text(f"/api/v1/{path}", method))["data"]

    def metrics(self) -> Mapping[str, float]:
        """Return the metrics of Prometheus by name and labels."""
        lines = (x for x in self._text("/metrics").splitlines() if not x.startswith("#"))
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines)}

    def _text(self, path: str, method: str = "GET") -> str:
        request = Request(self.url + path, method=method)  # noqa: S310  # on loopback
        with open_url(request, timeout=_PATIENCE) as response:
            body: bytes = response.read()
            return body.decode()


@contextmanager
def prometheus(folder: Path, config: str, *options: str) -> Generator[Prometheus]:
    """Run Prometheus on the blocks in a folder's ``data``."""
    more = ("--storage.tsdb.retention.time=100y", *options)
    server = Backend(program=PROMETHEUS, folder=folder, config=config, port=0, more=more)
    with server:
        yield Prometheus(server.wait_until_ready().url)


def machine() -> str:
    """Return the machine and the version of Prometheus."""
    command = [str(find("prometheus")), "--version"]
    output = subprocess.check_output(command, text=True)  # noqa: S603  # a program of ours
    return f"{os.cpu_count()} cores, Prometheus {output.split()[2]}"
