"""Servers as processes, and clients that speak raw bytes to them."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from hypothesis import HealthCheck, Phase, settings

from otel_meta.testing import OtlpReceiver
from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, environment, json_lines, wait_until
from tests.web.cases.driver import ID_HEADERS
from tests.web.cases.recorded import OUTCOMES, series

LIVE = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
"""Settings of properties over a socket, where an example is too costly to be reduced."""

ROOT = Path(__file__).parents[4]
_APP = "tests.web.cases.live.service:app"
_UVICORN = ("uvicorn", _APP, "--host", "127.0.0.1", "--port", "{port}")

COMMANDS: dict[str, Sequence[str]] = {
    "uvicorn-h11": (*_UVICORN, "--http", "h11", "--loop", "asyncio"),
    "uvicorn-httptools": (*_UVICORN, "--http", "httptools", "--loop", "uvloop"),
    "hypercorn": ("hypercorn", _APP, "--bind", "127.0.0.1:{port}"),
    "granian": ("granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", _APP),
}
"""The module and the arguments of each server."""


class Trace:
    """The trace that a client begins."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(16)
        self.parent = f"00-{self.id}-{secrets.token_hex(8)}-01"

    @property
    def header(self) -> dict[str, str]:
        """The header of the trace."""
        return {"traceparent": self.parent}


class Served:
    """The application of the cases under one server.

    Args:
        name: the server.
        folder: for its output.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.receiver = OtlpReceiver()
        self.receiver.__enter__()
        self.port = free_port()
        self._out = folder / name
        self._client = self.client()
        variables = {
            "PYTHONPATH": str(ROOT),
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.endpoint,
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "0",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
        }
        command = [each.format(port=self.port) for each in COMMANDS[name]]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=environment(variables),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Wait until the server responds."""
        wait_until(lambda: self._process.poll() is not None or self._responds())
        assert self._process.poll() is None, self._out.read_text()

    def ask_to_stop(self) -> None:
        """Ask the server to stop, and return at once."""
        self._client.close()
        self._process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self) -> None:
        """Wait until the server has stopped."""
        try:
            self._process.wait(PATIENCE)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self.receiver.__exit__(None, None, None)

    def client(self) -> httpx.Client:
        """Return a client with connections of its own."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET request."""
        return self._client.get(path, **options)

    def connect(self) -> socket.socket:
        """Open a connection for raw bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def send(self, request: bytes) -> bytes:
        """Send raw bytes, and return the bytes until the server closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_to_end(connection)

    def span(self, trace: Trace) -> Any:
        """Return the server span of a trace, when it has arrived."""
        wait_until(lambda: self._spans(trace))
        (span,) = self._spans(trace)
        return span

    def attributes(self, trace: Trace) -> dict[str, Any]:
        """Return the attributes of the server span of a trace."""
        return {a.key: _value(a.value) for a in self.span(trace).attributes}

    def outcomes(self, route: str) -> dict[str, int]:
        """Return the number of requests of a route by outcome."""
        page = self.get("/metrics").text
        return {
            labels["outcome"]: int(value)
            for labels, value in series(page, OUTCOMES)
            if labels.get("http_route", "") == route
        }

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """Return the log lines with these fields."""
        text = [line for line in self._out.read_text().splitlines() if line.startswith("{")]
        return [line for line in json_lines("\n".join(text)) if having.items() <= line.items()]

    def _spans(self, trace: Trace) -> list[Any]:
        spans = [each.span for each in self.receiver.spans()]
        kind = 2  # SERVER
        return [s for s in spans if s.trace_id.hex() == trace.id and s.kind == kind]

    def _responds(self) -> bool:
        try:
            return self.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


class Answer(NamedTuple):
    """The response to raw bytes."""

    head: list[bytes]
    """The status line and the headers, without those of telemetry."""
    body: bytes
    """Without the borders of chunks, which depend on time."""
    is_complete: bool
    """False if the connection ended before the body."""


def read_to_end(connection: socket.socket) -> bytes:
    """Return the bytes until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            received += part
    return received


def parse(received: bytes) -> Answer:
    """Parse the bytes of one response."""
    head, _, rest = received.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if _name(line) not in ID_HEADERS]
    if b"transfer-encoding: chunked" not in head.lower():
        return Answer(lines, rest, is_complete=True)
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if size == b"0":
            return Answer(lines, body, is_complete=True)
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return Answer(lines, body, is_complete=False)


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].lower()


def request_of(
    target: str, *headers: str, method: str = "GET", body: bytes = b"", is_last: bool = True
) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", "host: shop.example", *headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    if is_last:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
