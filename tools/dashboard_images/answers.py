"""The answers of a real Prometheus with the series of the incident."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import incident

from otel_meta.repos import BUILTIN
from otel_meta.testing.loopback import open_url
from otel_meta.testing.pinned_tools import find
from otel_meta.testing.servers import PROMETHEUS, Backend

_TIMEOUT = 60
_BLOCKS = ("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=240h")
_FOREVER = ("--storage.tsdb.retention.time=100y",)


class Prometheus:
    """A client of the server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def instant(self, expr: str) -> list[Any]:
        """Query the values at the end of the incident."""
        return self._get("query", query=expr, time=incident.END)

    def range(self, expr: str, seconds: int, step: int) -> list[Any]:
        """Query the values over the seconds before the end."""
        start = incident.END - seconds
        return self._get("query_range", query=expr, start=start, end=incident.END, step=step)

    def label_values(self, series: str, label: str) -> list[str]:
        """Query the values of a label, as a variable of a dashboard does."""
        window = {"start": incident.END - incident.DAY, "end": incident.END}
        return self._get(f"label/{label}/values", **{"match[]": series}, **window)

    def _get(self, path: str, **parameters: object) -> list[Any]:
        url = f"{self._url}/api/v1/{path}?{urlencode(parameters)}"
        with open_url(url, timeout=_TIMEOUT) as response:
            data = json.load(response)["data"]
        result: list[Any] = data if isinstance(data, list) else data["result"]
        return result


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus in a folder with the series of the incident."""
    text = folder / "series.txt"
    with text.open("w") as file:
        file.writelines(incident.series(BUILTIN))
        file.write("# EOF\n")
    command: list[str | Path] = [find("promtool"), *_BLOCKS, text, folder / "data"]
    subprocess.run(command, check=True, capture_output=True)
    server = Backend(program=PROMETHEUS, folder=folder, config="{}", port=0, more=_FOREVER)
    with server:
        yield Prometheus(server.wait_until_ready().url)
