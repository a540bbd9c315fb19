from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from otel_meta.runtime.logs.field_values import MAX_TEXT
from otel_meta.runtime.logs.repeated_warnings import RepeatedWarnings
from otel_meta.runtime.recording.faults import Faults
from otel_meta.testing import CapturedTelemetry

if TYPE_CHECKING:
    from tests.conftest import Eventually, Service

SHOP = """
from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop")
app = FastAPI()
otel_meta.instrument_fastapi(app, telemetry)


@app.get("/x")
async def x() -> str:
    return ""
"""


@pytest.fixture(scope="module")
def shop(service: Callable[..., Service]) -> Service:
    """A service."""
    return service(SHOP)


def record(
    created: float, name: str = "opentelemetry.baggage", msg: object = "`%s` is wrong"
) -> logging.LogRecord:
    """Return a record of a library."""
    fields = {"name": name, "msg": msg, "levelno": logging.WARNING, "created": created}
    return logging.makeLogRecord(fields)


class TestRepeated:
    def test_one_line_a_minute_passes_and_others_are_counted(self) -> None:
        """One line a minute passes for each template, with the number of those left out."""
        faults = Faults()
        warnings = RepeatedWarnings(faults)
        times = [0.0, 1.0, 59.0, 60.0, 61.0]
        records = [record(1000.0 + time) for time in times]

        assert [False, True, True, False, True] == [warnings.is_repeated(r) for r in records]
        assert 2 == records[3].repeated  # type: ignore[attr-defined]
        assert 3 == faults.count()

    def test_other_template_and_other_logger_pass(self) -> None:
        """Lines of another template or another logger pass."""
        warnings = RepeatedWarnings(Faults())

        assert [False] * 3 == [
            warnings.is_repeated(record(0.0)),
            warnings.is_repeated(record(0.0, msg="another")),
            warnings.is_repeated(record(0.0, name="opentelemetry.trace")),
        ]

    def test_templates_that_contain_input_are_bounded(self) -> None:
        """Templates that contain the client's input pass a bounded number of times."""
        warnings = RepeatedWarnings(Faults())
        passed = [not warnings.is_repeated(record(0.0, msg=f"{n} is wrong")) for n in range(1000)]

        assert 257 == sum(passed)

    @pytest.mark.parametrize("name", ["shop", "uvicorn.error", "opentelemetryx"])
    def test_lines_of_application_pass(
        self, captured_telemetry: CapturedTelemetry, name: str
    ) -> None:
        """Lines of the application and its servers pass."""
        for _ in range(3):
            logging.getLogger(name).warning("said")

        assert 3 == len(captured_telemetry.logs())

    def test_errors_of_library_pass(self, captured_telemetry: CapturedTelemetry) -> None:
        """Errors of a library pass: they are not about the input of a client."""
        for _ in range(3):
            logging.getLogger("opentelemetry.sdk").error("said")

        assert 3 == len(captured_telemetry.logs())


class TestClient:
    @pytest.mark.parametrize(
        "header",
        [
            b"baggage: " + b",".join([b"a"] * 170),
            b"baggage: " + b",".join(b"a%d" % number for number in range(1500)),
            b"baggage: " + b"x," * 20_000,
            b"traceparent: 00-%s-%s-01\r\ntracestate: %s"
            % (b"a" * 32, b"1" * 16, b",".join([b"a b"] * 300)),
        ],
        ids=["entries", "long", "huge", "tracestate"],
    )
    def test_request_with_malformed_header_writes_few_short_lines(
        self, shop: Service, header: bytes, eventually: Eventually
    ) -> None:
        """A request with a malformed header writes few lines, and none is long."""
        before = len(shop.lines())
        with socket.create_connection(("127.0.0.1", shop.port), timeout=20) as connection:
            request = b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%s\r\n\r\n"
            connection.sendall(request % header)
            while connection.recv(65_536):
                pass
        eventually(lambda: shop.lines()[before:] and shop.lines()[-1]["event"] == "request")
        lines = shop.lines()[before:]

        assert len(lines) <= 3
        assert all(len(line["event"]) <= MAX_TEXT + 100 for line in lines)
