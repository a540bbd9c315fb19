"""Requests with random and oversized parts: series and memory stay bounded."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from otel_meta import instrument_fastapi
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import capture

KILOBYTE = 1_024
NAMES = (b"host", b"user-agent", b"x-request-id", b"traceparent", b"tracestate", b"baggage")
CAPTURED = {
    f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_{side}": ".*"
    for side in ("REQUEST", "RESPONSE")
}
LABELS = [field.name for field in HTTP_SERVER_REQUEST_DURATION.label_fields]
ERROR = LABELS.index("error_type")


def texts(seed: random.Random) -> str:
    """Return a random text, as a server may decode it."""
    return "".join(chr(seed.choice((seed.randrange(33, 256), 0x4E2D, 0xFFFD))) for _ in range(9))


def random_scope(seed: random.Random) -> dict[str, Any]:
    """Return the scope of a request whose parts are random.

    Starlette itself raises for unknown schemes, and for bytes in a query that are no UTF-8.
    """
    headers = [(name, seed.randbytes(9)) for name in seed.sample(NAMES, 4)]
    headers += [(seed.randbytes(9).lower(), seed.randbytes(9))]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": texts(seed),
        "method": seed.choice(("GET", "POST", texts(seed))),
        "scheme": seed.choice(("http", "https")),
        "path": seed.choice((f"/items/{texts(seed)}", f"/{texts(seed)}", f"/files/{texts(seed)}")),
        "raw_path": seed.randbytes(9),
        "query_string": seed.randbytes(9).hex().encode(),
        "root_path": "",
        "headers": headers,
        "client": (texts(seed), seed.randrange(65_536)),
        "server": (texts(seed), 80),
    }


async def receive() -> dict[str, Any]:
    """Return an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Any) -> None:
    """Take a message."""


def send_all(app: FastAPI, scopes: Iterator[dict[str, Any]]) -> None:
    """Send requests, one after the other."""

    async def requests() -> None:
        for scope in scopes:
            await app(scope, receive, send)

    asyncio.run(requests())


def item(name: str) -> PlainTextResponse:
    """Answer a request of a route."""
    return PlainTextResponse(str(len(name)))


def create_app(telemetry: Telemetry) -> FastAPI:
    """Return an instrumented application with routes for a part of the paths."""
    app = FastAPI()
    instrument_fastapi(app, telemetry)
    app.get("/items/{name}")(item)
    app.mount("/files", PlainTextResponse(""))
    return app


@contextmanager
def quiet_telemetry() -> Generator[Telemetry]:
    """Yield telemetry that keeps no span and no line."""
    with configure(
        "shop", log_stream=None, set_global=False, environ=CAPTURED, metrics="prometheus"
    ) as telemetry:
        yield telemetry


def series(telemetry: Telemetry) -> int:
    """Return the number of series of requests."""
    return sum(len(list(family.cells())) for family in telemetry.storage.families())


class TestFlood:
    def test_flood_of_random_requests_adds_no_series(self) -> None:
        """A flood of random requests adds no series to those of the first thousand."""
        seed = random.Random(7)  # repeatable
        with quiet_telemetry() as telemetry:
            app = create_app(telemetry)
            send_all(app, (random_scope(seed) for _ in range(1_500)))
            before = series(telemetry)
            send_all(app, (random_scope(seed) for _ in range(1_000)))
            after = series(telemetry)

        assert before == after
        assert after < 100

    def test_flood_of_random_requests_is_no_server_error(self) -> None:
        """A flood of random requests is no server error: the error budget of the SLO stays."""
        seed = random.Random(8)  # repeatable
        with quiet_telemetry() as telemetry:
            send_all(create_app(telemetry), (random_scope(seed) for _ in range(300)))
            cells = list(telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION).cells())
            faults = {cell.labels for cell in telemetry.faults.family.cells()}

        assert {""} == {cell.labels[ERROR] for cell in cells}
        assert 300 == sum(sum(cell.snapshot()[0]) for cell in cells)
        assert set() == faults

    def test_flood_of_random_requests_keeps_memory_bounded(self) -> None:
        """A flood of random requests keeps the memory bounded: no table grows with requests."""
        seed = random.Random(9)  # repeatable
        with quiet_telemetry() as telemetry:
            app = create_app(telemetry)
            send_all(app, (random_scope(seed) for _ in range(1_500)))  # fills bounded tables
            tracemalloc.start()
            try:
                send_all(app, (random_scope(seed) for _ in range(200)))
                gc.collect()
                before, _ = tracemalloc.get_traced_memory()
                send_all(app, (random_scope(seed) for _ in range(1_000)))
                gc.collect()
                after, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()

        assert after - before < 150 * KILOBYTE


class TestOversize:
    def test_oversized_request_has_bounded_attributes(self) -> None:
        """The span of an oversized request has bounded attributes, and keeps those that matter."""
        scope = random_scope(random.Random(1)) | {  # repeatable
            "method": "GET",
            "path": "/items/" + "x" * 100 * KILOBYTE,
            "client": ("c" * 200 * KILOBYTE, 1),
            "query_string": b"a=1&" * 50 * KILOBYTE,
            "headers": [
                (b"host", b"h" * 200 * KILOBYTE),
                (b"user-agent", b"u" * 200 * KILOBYTE),
                *((b"x-header-%d" % number, b"v" * 200 * KILOBYTE) for number in range(200)),
            ],
        }
        with capture("shop", environ=CAPTURED) as captured:
            send_all(create_app(captured.telemetry), iter([scope]))
            (span,) = captured.spans()
            attributes = dict(span.attributes or {})

        assert "/items/{name}" == attributes["http.route"]
        assert {"http.request.method", "url.path", "client.address"} <= attributes.keys()
        assert len(attributes) <= 128
        assert max(len(str(value)) for value in attributes.values()) <= 4 * KILOBYTE
        assert sum(len(str(value)) for value in attributes.values()) < 200 * KILOBYTE

    def test_oversized_exception_keeps_its_end(self) -> None:
        """An exception with an oversized message is bounded, and its own type and line are kept."""

        def fail() -> None:
            try:
                raise ValueError("v" * 10_000 * KILOBYTE)  # noqa: TRY301  # a cause
            except ValueError as error:
                raise KeyError("last") from error

        with capture("shop") as captured:
            app = create_app(captured.telemetry)
            app.get("/fail")(fail)
            scope = random_scope(random.Random(2)) | {"method": "GET", "path": "/fail"}
            with suppress(KeyError):
                send_all(app, iter([scope]))
            (span,) = captured.spans()
            (event,) = span.events
            stacktrace = str((event.attributes or {})["exception.stacktrace"])

        assert len(stacktrace) <= 16 * KILOBYTE
        assert stacktrace.endswith("KeyError: 'last'")
