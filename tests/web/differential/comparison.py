"""The same bytes to an application without telemetry and to one with telemetry."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from typing import NamedTuple

import httpx
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)

from otel_meta.testing import CapturedTelemetry, capture
from tests.conftest import serve, wait_until
from tests.web.cases.recorded import DURATION, Recorded

from .application import build
from .connections import Sending

_OF_TELEMETRY = re.compile(
    rb"(?im)^(x-request-id|server-timing|access-control-expose-headers|timing-allow-origin|date)"
    rb": [^\r\n]*\r\n"
)
_ATTEMPTS = 10
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Pair(NamedTuple):
    """An application without telemetry, and the same one with telemetry, under one server."""

    bare: httpx.Client
    client: httpx.Client
    recorded: Recorded

    def difference(self, sending: Sending) -> str:
        """Return how the responses differ; "" if they do not.

        Some responses depend on time, as when a server refuses a request while the one before has
        no response yet. The applications differ if they never agree.
        """
        bare, recorded = set[bytes](), set[bytes]()
        for _ in range(_ATTEMPTS):
            bare.add(exchange(self.bare, sending))
            recorded.add(exchange(self.client, sending))
            if bare & recorded or sending.is_cut:
                return ""
        return f"{sending.parts!r}\nwithout telemetry: {bare!r}\nwith telemetry: {recorded!r}"

    def check(self) -> None:
        """Check what holds after any requests: no fault, nothing active, one span a request."""
        wait_until(lambda: self.recorded.active() == 0)
        assert [] == self.faults()
        page = self.recorded.captured.prometheus_text(OPENMETRICS)
        families = list(parse_openmetrics(page))  # type: ignore[no-untyped-call]  # has no types
        assert any(family.name == DURATION for family in families)
        requests = [span for span in self.recorded.spans() if not span.name.startswith("WS")]
        assert len(requests) == sum(value for _, value in self.recorded.series(f"{DURATION}_count"))

    def faults(self) -> list[object]:
        """Return the labels of the counted faults."""
        return faults(self.recorded)

    def series(self) -> int:
        """Return the number of series."""
        families = self.recorded.captured.telemetry.storage.families()
        return sum(len(list(family.cells())) for family in families)


def faults(recorded: Recorded) -> list[object]:
    """Return the labels of the counted faults, without the repeated lines of the API's propagators.

    Engines other than ``meta`` use these propagators, which log what is malformed.
    """
    cells = recorded.captured.telemetry.faults.family.cells()
    return [cell.labels for cell in cells if cell.labels != ("log record", "repeated")]


def exchange(client: httpx.Client, sending: Sending) -> bytes:
    """Send the parts, and return the response without headers of telemetry."""
    address = (client.base_url.host, client.base_url.port or 0)
    received = b""
    with socket.create_connection(address, timeout=2) as connection, suppress(OSError):
        with suppress(ConnectionError):
            for part in sending.parts:
                connection.sendall(part)
            if sending.is_cut:
                connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(65_536):
            received += more
    host = f"{address[0]}:{address[1]}".encode()
    return _OF_TELEMETRY.sub(b"", received).replace(host, b"127.0.0.1")


@contextmanager
def pair(engine: str, http: str) -> Iterator[Pair]:
    """Serve both applications.

    Args:
        engine: of the server spans.
        http: the implementation of HTTP in Uvicorn.
    """
    with ExitStack() as stack:
        captured: CapturedTelemetry = stack.enter_context(capture(log_stream=BytesIO()))
        recorded = Recorded(captured, build(), engine)
        bare, client = (
            stack.enter_context(serve(app, http=http)) for app in (build(), recorded.app)
        )
        yield Pair(bare, client, recorded)
