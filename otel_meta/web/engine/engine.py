"""The engine: begins an exchange, and calls the application within the context of the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, set_span_in_context

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.logs.access import RequestInProgress
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.propagation.extraction import create_extractor
from otel_meta.web.route import route_template

from .after_response import AfterResponse
from .begun import Begun, Shared
from .engine_options import EngineOptions
from .fresh_context import Entered, RequestContext
from .guarded_tracer import GuardedTracer, SpanStart
from .http_exchange import HttpExchange, HttpRecorder
from .http_metrics import HttpMetrics, request_labels
from .marks import EXCHANGE
from .request_attributes import RequestAttributes
from .request_ids import RequestIds
from .response_headers import CONTENT_LENGTH, REQUEST_ID
from .tracer import web_tracer
from .websocket_exchange import WebSocketExchange
from .websocket_metrics import WebSocketMetrics

_TRANSFER_ENCODING: Final = b"transfer-encoding"
_OTHER: Final = "_OTHER"


class Exchange(RequestInProgress, Protocol):
    """A request or a connection in progress."""

    @property
    def request_id(self) -> str:
        """The id for the caller and the logs."""
        ...

    def count(self) -> None:
        """Count it as active."""

    async def receive(self) -> Message:
        """Receive a message for the application."""
        ...

    async def send(self, message: Message, /) -> None:
        """Send a message of the application."""

    def fail(self, error: BaseException, /) -> None:
        """Note an exception of the application."""

    def finish(self) -> None:
        """Report the end."""


class Engine:
    """Records the requests and the WebSocket connections of an application.

    Args:
        telemetry: records.
        options: of the application.
        clock: monotonic clock in seconds.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        options: EngineOptions,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._faults: Final = telemetry.faults
        self._tracer: Final = GuardedTracer(web_tracer(telemetry), telemetry.faults)
        self._hook: Final = options.request_hook
        self._clock: Final = clock
        self._contexts: Final = RequestContext()
        self._ids: Final = RequestIds()
        self._origin: Final = create_extractor(
            telemetry.settings.propagators, telemetry.faults.report, public=options.public
        )
        shared = Shared(
            tracer=self._tracer,
            faults=telemetry.faults,
            route=route_template,
            clock=clock,
            traceresponse=options.traceresponse,
        )
        self._begin_exchange: Final[Mapping[str, Callable[..., Exchange]]] = {
            "http": partial(HttpExchange, shared, _http_recorder(telemetry, self._tracer)),
            "websocket": partial(WebSocketExchange, shared, WebSocketMetrics(telemetry.storage)),
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
            exchange.fail(error)
            raise
        finally:
            exchange.finish()
            self._leave(entered)

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> tuple[Exchange, Entered] | None:
        """Begin an exchange; None after a fault, when the request is served without records."""
        try:
            exchange, context = self._exchange(scope, receive, send)
            entered = self._contexts.enter(exchange, context, exchange.request_id)
            scope[EXCHANGE] = exchange
            exchange.count()
        except Exception as error:
            self._report(error)
            return None
        return exchange, entered

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> tuple[Exchange, Context]:
        started, start_time = self._clock(), time.time_ns()
        labels = request_labels(scope)
        origin = self._origin(scope["headers"])
        span = self._tracer.start(
            SpanStart(
                _span_name(scope, labels.method),
                SpanKind.SERVER,
                RequestAttributes(scope, labels.method),
                start_time,
                origin.links,
            ),
            origin.context,
        )
        if self._hook is not None and span.is_recording():
            self._tracer.call_hook(self._hook, span, scope)
        request_id, length = _read_headers(scope)
        begun = Begun(
            scope,
            receive,
            send,
            labels=labels,
            request_id=self._ids.choose(request_id),
            span=span,
            start_time=start_time,
            started=started,
            content_length=length,
        )
        exchange = self._begin_exchange[scope["type"]](begun)
        return exchange, set_span_in_context(span, origin.context)

    def _leave(self, entered: Entered) -> None:
        try:
            entered.leave()
        except Exception as error:  # the server continues in another context
            self._report(error)

    def _report(self, error: Exception) -> None:
        reraise_interruption(error)
        self._faults.report("request", type(error).__name__, error)


def _http_recorder(telemetry: Telemetry, tracer: GuardedTracer) -> HttpRecorder:
    storage = telemetry.storage
    return HttpRecorder(HttpMetrics(storage), AfterResponse(tracer, storage))


def _span_name(scope: Scope, method: str) -> str:
    """Return the name of a span whose route is not known."""
    if scope["type"] == "websocket":
        return "WS"
    return "HTTP" if method == _OTHER else method


def _read_headers(scope: Scope) -> tuple[bytes | None, int | None]:
    """Return the request id, and the length of the body; None if it is not known."""
    request_id: bytes | None = None
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            request_id = value
        elif name == CONTENT_LENGTH:
            length = int(value) if value.isdigit() else None
        elif name == _TRANSFER_ENCODING:
            length = None
    return request_id, length
