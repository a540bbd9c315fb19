"""ASGI middleware: the engine, and the endpoints."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from opentelemetry.trace import get_current_span

from otel_meta.runtime.bounded_threads import BoundedThreads
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.logs.access import UNHELD_REQUEST, QuietRequest
from otel_meta.runtime.telemetry import Telemetry

from .asgi import App, Message, Receive, Scope, Send, path_of
from .engine.engine import Engine
from .engine.marks import EXCHANGE
from .engine.unrecorded import UnrecordedRequests
from .frameworks import OtherRecorders
from .other_engines.lent_span import LentSpan
from .web_options import Parts


class TelemetryMiddleware:
    """The outermost middleware, so that responses of other middleware are counted too.

    Args:
        app: the application.
        telemetry: records the requests.
        parts: the endpoints, whose requests are neither counted nor traced, the readiness, which
            receives the lifespan messages, the options of the engine, the excluded paths, and the
            contexts of requests.
        others: recorders of the same requests.
    """

    def __init__(
        self,
        app: App,
        telemetry: Telemetry,
        parts: Parts,
        *,
        others: OtherRecorders,
    ) -> None:
        self.app: Final = app
        self._telemetry: Final = telemetry
        self._readiness, self._endpoints, options, self._exclusions, self._contexts = parts
        self._drain_thread: Final = BoundedThreads("drain", 1)
        self._excluded: Final = UnrecordedRequests(self._contexts, UNHELD_REQUEST)
        self._pages: Final = UnrecordedRequests(self._contexts, QuietRequest())
        self._engine: Final = Engine(telemetry, options, self._contexts)
        self._others: Final = others
        self._is_lent: Final = options.engine != "meta"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an endpoint, or pass the request on to the application and record it."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif kind not in _REQUESTS or EXCHANGE in scope or self._is_recorded(scope):
            await self.app(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    def _is_recorded(self, scope: Scope) -> bool:
        try:
            is_begun = self._is_lent and isinstance(get_current_span(), LentSpan)
            return self._others.have(scope, is_begun=is_begun)
        except Exception as error:
            self._report(error)
            return False

    def _report(self, error: Exception) -> None:
        reraise_interruption(error)
        self._telemetry.faults.report("other recorders", type(error).__name__, error)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        endpoint = self._endpoints.find(path) if scope["type"] == "http" else None
        if endpoint is not None:
            await self._pages(endpoint, scope, receive, send)
        elif self._exclusions.includes(path):
            await self._excluded(self.app, scope, receive, send)
        else:
            await self._engine(self.app, scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._others.remove_around()
        except Exception as error:
            self._report(error)

        async def receive_wrapper() -> Message:
            message = await receive()
            self._readiness.on_lifespan_message(message["type"])
            if message["type"] == "lifespan.startup":
                self._telemetry.logs.take_over_server_loggers()
                self._contexts.take_fields()
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


_REQUESTS: Final = frozenset({"http", "websocket"})
