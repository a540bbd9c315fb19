"""The engine around an application, called without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
)
from otel_meta.testing import CapturedTelemetry
from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.engine import Engine
from otel_meta.web.engine.engine_options import EngineOptions
from otel_meta.web.engine.fresh_context import RequestContext

REQUEST: Message = {"type": "http.request", "body": b"", "more_body": False}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"done"}


async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request, and answer."""
    await receive()
    await send(START)
    await send(BODY)


def sending(*messages: Any) -> App:
    """Return an application that sends messages."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def started(status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Message:
    """Return the start of a response."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def receiving(messages: Iterable[Message]) -> Receive:
    """Return the receive of a server that has these messages, and then waits for ever."""
    rest = iter(messages)

    async def receive() -> Message:
        for message in rest:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def scope_of(**given: Any) -> dict[str, Any]:
    """Return the scope of a request."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/items/7",
        "raw_path": b"/items/7",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("1.2.3.4", 5),
        "server": ("shop", 80),
        **given,
    }


class DirectCalls:
    """Calls applications under the engine, and tells the telemetry of the requests."""

    def __init__(self, captured: CapturedTelemetry) -> None:
        self.captured = captured
        self.sent: list[Message] = []

    @cached_property
    def engine(self) -> Engine:
        """An engine with the options of `with_options`."""
        return self.with_options()

    def with_options(self, clock: Callable[[], float] | None = None, **options: Any) -> Engine:
        """Use an engine with these options."""
        clocks = () if clock is None else (clock,)
        self.engine = Engine(
            self.captured.telemetry, EngineOptions(**options), RequestContext(), *clocks
        )
        return self.engine

    async def send(self, message: Message) -> None:
        """Take a message, as the server does."""
        self.sent.append(message)

    def run(
        self,
        app: App,
        *messages: Message,
        receive: Receive | None = None,
        send: Send | None = None,
        **scope: Any,
    ) -> list[Message]:
        """Run a request, and return the messages of the response."""
        asyncio.run(self.call(app, *messages, receive=receive, send=send, **scope))
        return self.sent

    async def call(
        self,
        app: App,
        *messages: Message,
        receive: Receive | None = None,
        send: Send | None = None,
        **scope: Any,
    ) -> None:
        """Run a request in the event loop of the test."""
        received = receive or receiving(messages or [REQUEST])
        await self.engine(app, scope_of(**scope), received, send or self.send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of the response."""
        return dict(self.sent[0]["headers"])

    @property
    def span(self) -> Any:
        """The only span."""
        (span,) = self.captured.spans()
        return span

    def results(self) -> list[tuple[str, str]]:
        """Return status and error type of each recorded request."""
        family = self.captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
        return [
            (cell.labels[3], cell.labels[4])
            for cell in family.cells()
            for _ in range(sum(cell.snapshot()[0]))
        ]

    def outcomes(self) -> list[str]:
        """Return the outcome of each recorded request."""
        family = self.captured.telemetry.storage.family(HTTP_SERVER_REQUEST_OUTCOMES)
        return [cell.labels[0] for cell in family.cells() for _ in range(int(cell.value))]

    def active(self) -> float:
        """Return the number of active requests."""
        return self.captured.value(HTTP_SERVER_ACTIVE_REQUESTS) or 0.0

    def faults(self) -> set[tuple[str, str]]:
        """Return source and reason of the faults."""
        cells = self.captured.telemetry.faults.family.cells()
        return {(cell.labels[0], cell.labels[1]) for cell in cells}
