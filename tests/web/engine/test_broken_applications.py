"""Applications that break the specification get from a server what they get without telemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from otel_meta import instrument_fastapi
from otel_meta.semconv import HTTP_SERVER_ACTIVE_REQUESTS
from otel_meta.testing import CapturedTelemetry, capture
from otel_meta.web.asgi import App, Receive, Scope, Send
from otel_meta.web.frameworks.builtin_telemetry import OFF
from tests.web.engine.direct_calls import BODY, START, sending, started

if TYPE_CHECKING:
    from tests.conftest import Serving

Raw = Callable[[httpx.Client, bytes], bytes]
MORE = {**BODY, "more_body": True}


class UnprintableError(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def headers(given: Any) -> dict[str, Any]:
    """Return the start of a response with headers of any kind."""
    return {**START, "headers": given}


def raising(error: BaseException, *messages: Any) -> App:
    """Return an application that sends messages and then fails."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sending(*messages)(scope, receive, send)
        raise error

    return app


BROKEN: dict[str, Callable[[], App]] = {
    "start twice": lambda: sending(START, started(500), BODY),
    "body before start": lambda: sending(BODY, START),
    "body after end": lambda: sending(START, BODY, BODY),
    "no end": lambda: sending(START, MORE),
    "nothing": sending,
    "no type": lambda: sending({}),
    "no message": lambda: sending(None),
    "unknown type": lambda: sending({"type": "http.response.nonsense"}),
    "no status": lambda: sending({"type": "http.response.start"}),
    "status as text": lambda: sending({**START, "status": "200"}, BODY),
    "unknown status": lambda: sending(started(799), BODY),
    "headers in tuple": lambda: sending(headers(((b"a", b"b"),)), BODY),
    "headers in iterator": lambda: sending(headers(iter([(b"a", b"b")])), BODY),
    "header as list": lambda: sending(headers([[b"a", b"b"]]), BODY),
    "header as text": lambda: sending(headers([("a", "b")]), BODY),
    "three parts of header": lambda: sending(headers([(b"a", b"b", b"c")]), BODY),
    "headers are none": lambda: sending(headers(None), BODY),
    "line break in header": lambda: sending(headers([(b"a", b"b\r\nc: d")]), BODY),
    "body as text": lambda: sending(START, {**BODY, "body": "text"}),
    "longer body than its length": lambda: sending(started(200, [(b"content-length", b"1")]), BODY),
    "exception before start": lambda: raising(ValueError("a")),
    "exception in body": lambda: raising(ValueError("a"), START, MORE),
    "exception after end": lambda: raising(ValueError("a"), START, BODY),
    "exception without text": lambda: raising(UnprintableError()),
    "group of exceptions": lambda: raising(ExceptionGroup("a", [ValueError("b")])),
}


def build() -> FastAPI:
    """Return an application with a mounted application for each mistake."""
    off: Any = dict(OFF)  # reads messages, if another test has left global providers
    app = FastAPI(telemetry=off)
    for name, create in BROKEN.items():
        app.mount(f"/{name.replace(' ', '-')}", _created(create))
    return app


def _created(create: Callable[[], App]) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await create()(scope, receive, send)

    return app


class Twins:
    """Clients of an application without and with telemetry."""

    def __init__(self, bare: httpx.Client, told: httpx.Client, captured: CapturedTelemetry) -> None:
        self.clients = bare, told
        self.captured = captured


@pytest.fixture(scope="module", params=["h11", "httptools"])
def twins(serving: Serving, request: Any) -> Iterator[Twins]:
    """Clients of an application without and with telemetry."""
    instrumented = build()
    with capture() as captured:
        instrument_fastapi(instrumented, captured.telemetry)
        with (
            serving(build(), http=request.param) as bare,
            serving(instrumented, http=request.param) as told,
        ):
            yield Twins(bare, told, captured)


@pytest.mark.parametrize("name", BROKEN)
def test_response_is_that_without_telemetry(twins: Twins, raw: Raw, name: str) -> None:
    """A broken application gets the response that it gets without telemetry."""
    path = name.replace(" ", "-").encode()
    request = b"GET /%s/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % path
    bare, told = (_without_ids(raw(client, request)) for client in twins.clients)

    assert bare == told


def test_no_request_stays_active(twins: Twins) -> None:
    """No request of a broken application stays active."""
    assert 0 == (twins.captured.value(HTTP_SERVER_ACTIVE_REQUESTS) or 0)


def _without_ids(response: bytes) -> list[bytes]:
    added = (b"date:", b"x-request-id:", b"server-timing:")
    return [line for line in response.split(b"\r\n") if not line.lower().startswith(added)]
