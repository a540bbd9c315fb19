"""The engine of HTTP requests: begins an exchange, and calls the application within its context."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, set_span_in_context

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.web.asgi import App, Receive, Scope, Send
from otel_meta.web.propagation.extraction import create_extractor
from otel_meta.web.route import route_template

from .after_response import AfterResponse
from .engine_options import EngineOptions
from .fresh_context import Entered, RequestContext
from .guarded_tracer import GuardedTracer, SpanStart
from .http_exchange import Begun, HttpExchange, Recorder
from .http_metrics import HttpMetrics, request_labels
from .marks import EXCHANGE
from .request_attributes import RequestAttributes
from .request_ids import RequestIds
from .response_headers import CONTENT_LENGTH, REQUEST_ID
from .tracer import web_tracer

_TRANSFER_ENCODING: Final = b"transfer-encoding"
_OTHER: Final = "_OTHER"


class HttpEngine:
    """Records the requests of an application.

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
        self._recorder: Final = Recorder(
            metrics=HttpMetrics(telemetry.storage),
            tracer=self._tracer,
            after=AfterResponse(self._tracer, telemetry.storage),
            faults=telemetry.faults,
            route=route_template,
            clock=clock,
            traceresponse=options.traceresponse,
        )

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

    def _begin(
        self, scope: Scope, receive: Receive, send: Send
    ) -> tuple[HttpExchange, Entered] | None:
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

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> tuple[HttpExchange, Context]:
        started, start_time = self._clock(), time.time_ns()
        labels = request_labels(scope)
        origin = self._origin(scope["headers"])
        name = "HTTP" if labels.method == _OTHER else labels.method
        span = self._tracer.start(
            SpanStart(
                name,
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
            labels, self._ids.choose(request_id), span, start_time, started, content_length=length
        )
        exchange = HttpExchange(self._recorder, scope, receive, send, begun)
        return exchange, set_span_in_context(span, origin.context)

    def _leave(self, entered: Entered) -> None:
        try:
            entered.leave()
        except Exception as error:  # the server continues in another context
            self._report(error)

    def _report(self, error: Exception) -> None:
        reraise_interruption(error)
        self._faults.report("request", type(error).__name__, error)


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
