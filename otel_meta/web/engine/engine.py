"""The engine: begins an exchange, and calls the application within the context of the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.redaction.captured_headers import CapturedHeaders
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.web.asgi import App, Receive, Scope, Send
from otel_meta.web.frameworks import route_template
from otel_meta.web.other_engines.lent_span import take_lent_span
from otel_meta.web.propagation.extraction import create_extractor

from .after_response import AfterResponse
from .engine_options import EngineOptions
from .exchange import Exchange, Shared
from .fresh_context import Entered, RequestContext, leave
from .guarded_tracer import GuardedTracer
from .http.http_exchange import HttpExchange, HttpRecorder
from .http.http_metrics import HttpMetrics
from .marks import EXCHANGE
from .request_ids import RequestIds
from .tracer import web_tracer
from .websocket.websocket_exchange import WebSocketExchange, WebSocketRecorder
from .websocket.websocket_metrics import WebSocketMetrics


class Engine:
    """Records the requests and the WebSocket connections of an application.

    Args:
        telemetry: records.
        options: of the application.
        contexts: enters those of the requests.
        clock: monotonic clock in seconds.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        options: EngineOptions,
        contexts: RequestContext,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._faults: Final = telemetry.faults
        self._contexts: Final = contexts
        settings, storage, faults = telemetry.settings, telemetry.storage, telemetry.faults
        tracer = GuardedTracer(web_tracer(telemetry), faults)
        captured = partial(CapturedHeaders, telemetry.redaction)
        shared = Shared(
            tracer=tracer,
            faults=faults,
            ids=RequestIds(),
            request_headers=captured(settings.request_headers, "http.request.header."),
            response_headers=captured(settings.response_headers, "http.response.header."),
            origin=create_extractor(settings.propagators, faults.report, public=options.public),
            lent_span=_no_span if options.engine == "meta" else take_lent_span,
            route=route_template,
            clock=clock,
            hook=options.request_hook,
            traceresponse=options.traceresponse,
        )
        after = AfterResponse(tracer, storage)
        recorder = HttpRecorder(HttpMetrics(storage), after)
        of_websockets = WebSocketRecorder(WebSocketMetrics(storage), after)
        self._exchanges: Final[Mapping[str, Callable[..., Exchange]]] = {
            "http": partial(HttpExchange, shared, recorder),
            "websocket": partial(WebSocketExchange, shared, of_websockets),
        }

    async def __call__(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and record the request."""
        begun = self._begin(scope, receive, send)
        if begun is None:
            await app(scope, receive, send)
            return
        exchange, entered = begun
        try:
            await app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            self._guard(exchange.fail, error)
            raise
        finally:
            self._guard(_end, exchange, entered)
            scope.pop(EXCHANGE, None)

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> tuple[Exchange, Entered] | None:
        """Begin an exchange; None after a fault, when the request is served without records."""
        try:
            exchange = self._exchanges[scope["type"]](scope, receive, send)
            scope[EXCHANGE] = exchange
            entered = self._contexts.enter(exchange, exchange.context, exchange.request_id)
            exchange.count()
        except Exception as error:
            self._report(error)
            return None
        return exchange, entered

    def _guard(self, step: Callable[..., None], *args: Any) -> None:
        """Run a step of the end; the exception of the application is not replaced."""
        try:
            step(*args)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        reraise_interruption(error)
        self._faults.report("request", type(error).__name__, error)


def _end(exchange: Exchange, entered: Entered) -> None:
    try:
        exchange.finish()
    finally:
        exchange.release()
        leave(entered)


def _no_span() -> None:
    """Return no span: this engine starts the spans."""
