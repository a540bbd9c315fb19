"""ASGI middleware: the standard HTTP metrics, request ids, and the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, get_args

from structlog.contextvars import bound_contextvars

from otel_meta.runtime.bounded_threads import BoundedThreads
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.semconv import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION, Method

from .asgi import App, Message, Receive, Scope, Send, header, path_of
from .endpoints import Endpoints
from .frameworks import route_template
from .readiness import Readiness
from .request_cycle import REQUEST_ID, Outcome, RequestCycle, choose_request_id

_METHODS: Final = frozenset(get_args(Method))


class TelemetryMiddleware:
    """The outermost middleware, so that responses of other middleware are counted too.

    Args:
        app: the application.
        telemetry: records the metrics.
        readiness: receives the lifespan messages.
        endpoints: their requests are neither counted nor traced.
    """

    def __init__(
        self, app: App, telemetry: Telemetry, readiness: Readiness, endpoints: Endpoints
    ) -> None:
        self.app: Final = app
        self._telemetry: Final = telemetry
        self._readiness: Final = readiness
        self._endpoints: Final = endpoints
        self._drain_thread: Final = BoundedThreads("drain", 1)
        recorder = telemetry.storage.recorder
        self._duration: Final[Any] = recorder(HTTP_SERVER_REQUEST_DURATION)
        self._active: Final[Any] = recorder(HTTP_SERVER_ACTIVE_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an endpoint, or pass the request on to the application and record it."""
        # FastAPI's own telemetry reads this key: a mounted app must not count the request again.
        scope.setdefault("fastapi.telemetry", None)
        if scope["type"] != "http":
            await self._not_http(scope, receive, send)
            return
        endpoint = self._endpoints.find(path_of(scope))
        if endpoint is not None:
            await endpoint(scope, receive, send)
            return
        await self._http(scope, receive, send)

    async def _not_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        attributes = {"http_request_method": method, "url_scheme": scope.get("scheme", "http")}
        self._active.add(1, **attributes)
        request_id = choose_request_id(header(scope, REQUEST_ID))
        cycle = RequestCycle(send, request_id, partial(self._report, scope, attributes))
        with bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, cycle.wrap_receive(receive), cycle.send)
            except BaseException as error:
                cycle.record_exception(error)
                raise
            finally:
                cycle.finish()

    def _report(self, scope: Scope, attributes: Mapping[str, str], outcome: Outcome) -> None:
        self._active.add(-1, **attributes)
        self._duration.record(
            outcome.seconds,
            **attributes,
            http_route=route_template(scope),
            http_response_status_code=outcome.status,
            error_type=outcome.error_type,
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        with bound_contextvars(request_id=choose_request_id(header(scope, REQUEST_ID))):
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_wrapper() -> Message:
            message = await receive()
            self._readiness.on_lifespan_message(message["type"])
            if message["type"] == "lifespan.startup":
                self._telemetry.logs.take_over_server_loggers()
            return message

        async def send_wrapper(message: Message) -> None:
            self._readiness.on_lifespan_message(message["type"])
            if message["type"].startswith("lifespan.shutdown."):
                # Uvicorn raises the signal again after shutdown, so exit handlers do not run.
                await self._drain()
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._endpoints.log_missing()

        await self.app(scope, receive_wrapper, send_wrapper)

    async def _drain(self) -> None:
        """Export what is left, on a thread of otel_meta: the application's may all be busy."""
        with suppress(TimeoutError):
            seconds = self._telemetry.settings.shutdown_timeout
            await self._drain_thread.run(self._telemetry.drain, seconds)
