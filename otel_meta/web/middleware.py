"""The middleware: the standard HTTP metrics, ids for logs and callers, and our own endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, get_args

from structlog.contextvars import bound_contextvars

from otel_meta.runtime.telemetry import Telemetry
from otel_meta.semconv import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION, Method

from .asgi import App, Message, Receive, Scope, Send, header, path_of
from .readiness import Readiness
from .request_cycle import REQUEST_ID, Outcome, RequestCycle
from .request_id import request_id
from .route import route_template

_METHODS: Final = frozenset(get_args(Method))


class TelemetryMiddleware:
    """Stands outermost, so that whatever answers is counted.

    Args:
        app: what is served.
        telemetry: where it is recorded.
        readiness: follows the application's start and stop.
        endpoints: answered here, by path, and neither counted nor traced.
    """

    def __init__(
        self, app: App, telemetry: Telemetry, readiness: Readiness, endpoints: Mapping[str, App]
    ) -> None:
        self.app: Final = app
        self._telemetry: Final = telemetry
        self._readiness: Final = readiness
        self._endpoints: Final = endpoints
        recorder = telemetry.storage.recorder
        self._duration: Final[Any] = recorder(HTTP_SERVER_REQUEST_DURATION)
        self._active: Final[Any] = recorder(HTTP_SERVER_ACTIVE_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        handle = {
            "http": self._http,
            "websocket": self._websocket,
            "lifespan": self._lifespan,
        }.get(scope["type"], self.app)
        # FastAPI's own telemetry asks for this key: a mounted app must not count the request again.
        scope.setdefault("fastapi.telemetry", None)
        await handle(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(path_of(scope))
        if endpoint is not None:
            await endpoint(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        kind = {"http_request_method": method, "url_scheme": scope.get("scheme", "http")}
        self._active.add(1, **kind)
        own_id = request_id(header(scope, REQUEST_ID))
        exchange = RequestCycle(send, own_id, partial(self._report, scope, kind))
        with bound_contextvars(request_id=own_id):
            try:
                await self.app(scope, exchange.hearing(receive), exchange.send)
            except BaseException as error:
                exchange.failed(error)
                raise
            finally:
                exchange.finish()

    def _report(self, scope: Scope, kind: Mapping[str, str], outcome: Outcome) -> None:
        self._active.add(-1, **kind)
        self._duration.record(
            outcome.seconds,
            **kind,
            http_route=route_template(scope),
            http_response_status_code=outcome.status,
            error_type=outcome.error_type,
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        with bound_contextvars(request_id=request_id(header(scope, REQUEST_ID))):
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hear() -> Message:
            message = await receive()
            self._readiness.heard(message["type"])
            if message["type"] == "lifespan.startup":
                self._telemetry.logs.take_over_server_loggers()
            return message

        async def say(message: Message) -> None:
            self._readiness.heard(message["type"])
            if message["type"].startswith("lifespan.shutdown."):
                # Now: uvicorn ends by the signal that it was sent, and nothing runs at exit then.
                await asyncio.to_thread(self._telemetry.drain)
            await send(message)

        await self.app(scope, hear, say)
