"""The pinned Prometheus of tools/, run on loopback for as long as a measurement takes."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 120.0
"""Seconds until a server that should serve is taken not to: it opens large blocks first."""
_LISTENS: Final = re.compile(r'msg="Listening on" .*?address=(127\.0\.0\.1:\d+)')
_OPEN: Final = build_opener(ProxyHandler({})).open


@cache
def _build() -> Any:
    """tools/build.py, by path: it is a script of no package."""
    spec = importlib.util.spec_from_file_location("otel_meta_bench_tools", ROOT / "tools/build.py")
    if spec is None or spec.loader is None:
        raise ImportError("tools/build.py is gone")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def tool(name: str) -> Path:
    """A pinned program; its absence is an error that says ``make tools``."""
    path: Path = _build().find(name)
    return path


class Prometheus:
    """What a Prometheus answers."""

    def __init__(self, url: str) -> None:
        self.url: Final = url

    def ask(self, expr: str, at: float) -> Any:
        """The data of an instant query, its statistics included."""
        query = urlencode({"query": expr, "time": at, "stats": "all"})
        return self.api(f"query?{query}")

    def api(self, path: str) -> Any:
        """The data of any answer."""
        return json.loads(self.text(f"/api/v1/{path}"))["data"]

    def metrics(self) -> Mapping[str, float]:
        """Its own series, by name and labels."""
        lines = (x for x in self.text("/metrics").splitlines() if not x.startswith("#"))
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines)}

    def text(self, path: str, method: str = "GET") -> str:
        """The body of an answer."""
        request = Request(self.url + path, method=method)  # noqa: S310  # on loopback
        with _OPEN(request, timeout=_PATIENCE) as response:
            body: bytes = response.read()
            return body.decode()


def machine() -> str:
    """What measured numbers hold for."""
    return f"{os.cpu_count()} cores, Prometheus {_build().named('prometheus')[0].version}"


@contextmanager
def prometheus(folder: Path, *options: str) -> Generator[Prometheus]:
    """Prometheus in a folder that holds ``prometheus.yml``, its blocks in ``data``."""
    command: list[str | Path] = [
        tool("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
        *options,
    ]
    log = folder / "prometheus.log"
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: S603  # a program of ours, found by name
            command, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        served = Prometheus(f"http://{_address(process, log)}")
        _until_ready(served)
        yield served
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := _LISTENS.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"Prometheus does not serve:\n{log.read_text()}")


def _until_ready(served: Prometheus) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            served.text("/-/ready")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Prometheus does not get ready")
