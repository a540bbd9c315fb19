"""An instrumented application, and its recorded requests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.trace import SpanKind

from otel_meta import instrument_fastapi
from otel_meta.runtime.sdk_environment import prefer_stable_conventions
from otel_meta.semconv import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import CapturedTelemetry, capture

prefer_stable_conventions()  # instrumentors of contrib read the variable once in a process


class Sample(NamedTuple):
    """The labels of one recorded request."""

    method: str
    route: str
    status: str
    error: str


class Web:
    """An instrumented application and its captured telemetry."""

    def __init__(self, captured: CapturedTelemetry) -> None:
        self.captured = captured
        self.app = FastAPI()
        instrument_fastapi(self.app, captured.telemetry)

    def samples(self) -> list[Sample]:
        """Return the recorded requests."""
        family = self.captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
        return [
            Sample(cell.labels[0], *cell.labels[2:5])
            for cell in family.cells()
            for _ in range(sum(cell.snapshot()[0]))
        ]

    def active(self) -> float:
        """Return the number of active requests."""
        return self.captured.value(HTTP_SERVER_ACTIVE_REQUESTS) or 0.0

    def server_spans(self) -> list[Any]:
        """Return the server spans."""
        return [span for span in self.captured.spans() if span.kind is SpanKind.SERVER]


def send_raw(client: httpx.Client, request: bytes) -> bytes:
    """Send raw bytes, and return the response until the server closes."""
    address = (client.base_url.host, client.base_url.port or 0)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture
def web() -> Iterator[Web]:
    """An instrumented application."""
    with capture() as captured:
        yield Web(captured)


@pytest.fixture
def raw() -> Callable[[httpx.Client, bytes], bytes]:
    """Function that sends raw bytes and returns the response."""
    return send_raw
