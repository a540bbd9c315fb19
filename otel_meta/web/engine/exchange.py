"""What requests and WebSocket connections have in common: beginning, ids, and faults."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from logging import LogRecord
from typing import Final, NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, set_span_in_context

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.logs.access import WriteRecord
from otel_meta.runtime.logs.exceptions import attach_ids
from otel_meta.runtime.logs.processors import span_ids
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.redaction.captured_headers import CapturedHeaders
from otel_meta.web.asgi import Header, Message, Receive, Scope, Send
from otel_meta.web.propagation.extraction import Extractor

from .disconnects import waiting_message
from .guarded_tracer import GuardedTracer, RequestHook, SpanEnd
from .request_attributes import RequestAttributes
from .request_ids import RequestIds
from .request_labels import request_labels
from .response_headers import REQUEST_ID, trace_headers

_NS: Final = 1_000_000_000
"""Nanoseconds in a second."""


class Shared(NamedTuple):
    """What the exchanges of an application share."""

    tracer: GuardedTracer
    faults: Faults
    ids: RequestIds
    request_headers: CapturedHeaders
    """Chooses headers for the span."""
    response_headers: CapturedHeaders
    origin: Extractor
    lent_span: Callable[[], Span | None]
    """Returns the span that another engine has started."""
    route: Callable[[Scope, int], str]
    clock: Callable[[], float]
    """In seconds."""
    hook: RequestHook | None
    traceresponse: bool


class Exchange(ABC):
    """What passes between server and application; its creation starts the server span.

    Args:
        shared: see `Shared`.
        scope: of the request. Routing leaves the template of the route there.
        receive: from the server.
        send: from the server.
    """

    _kept: tuple[Message, ...] = ()
    """Messages that were received before the application asked for them."""
    _receiving = 0
    """Calls of the application that wait for a message."""
    _error: BaseException | None = None
    _is_reported = False

    def __init__(self, shared: Shared, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope: Scope = scope
        self._shared: Final = shared
        self._receive: Final = receive
        self._send: Final = send
        self._started: Final = shared.clock()
        self._start_time = time.time_ns()
        self._labels: Final = request_labels(scope)
        self.span, self.context = self._take_span() or self._start_span()
        if shared.hook is not None and self.span.is_recording():
            shared.tracer.call_hook(shared.hook, self.span, scope)
        received = next((value for name, value in scope["headers"] if name == REQUEST_ID), None)
        self.request_id: Final = shared.ids.choose(received)

    @property
    def route(self) -> str:
        """The template of the route, as far as routing has come; "" after a fault."""
        try:
            return self._shared.route(self.scope, self.status)
        except Exception as error:
            self._report_fault(error)
            return ""

    @property
    @abstractmethod
    def status(self) -> int:
        """The status of the response; 0 until it starts."""

    @abstractmethod
    def count(self) -> None:
        """Count a request as active, until `finish`."""

    async def receive(self) -> Message:
        """Receive a message for the application, and note its news."""
        if self._kept:
            message, *rest = self._kept
            self._kept = tuple(rest)
            return message
        self._receiving += 1
        try:
            message = await self._receive()
        finally:
            self._receiving -= 1
        try:
            self._note_received(message)
        except Exception as error:
            self._report_fault(error)
        return message

    @abstractmethod
    async def send(self, message: Message, /) -> None:
        """Send a message of the application; the first gets the ids as headers."""

    @abstractmethod
    def hold(self, record: LogRecord, write: WriteRecord, /) -> bool:
        """Hold the access line of the server until route and duration are known."""

    @abstractmethod
    def fail(self, error: BaseException, /) -> None:
        """Note the exception of the application, and attach the ids to it for the logs."""

    def finish(self) -> None:
        """Report the end, at most once; no fault leaves the span open."""
        if not self._is_reported:
            self._is_reported = True
            try:
                self._report()
            finally:
                if self.span.is_recording():
                    self._shared.tracer.end(self.span, SpanEnd())

    def release(self) -> None:
        """Drop what leads back here, so that memory is freed without the garbage collector."""
        self._error = None
        self.scope = {}

    @abstractmethod
    def _note_received(self, message: Message) -> None:
        """Note a part of a body, a message or a disconnect."""

    def _look_for_message(self) -> None:
        """Note the message that waits at the server, and keep it: the application may ask.

        An application that waits for a message hears of it itself, and must get it.
        """
        if self._receiving:
            return
        message = waiting_message(self._receive)
        if message is not None:
            self._kept = (*self._kept, message)
            self._note_received(message)

    @abstractmethod
    def _report(self) -> None:
        """Record the end in metrics and span."""

    def _now(self) -> float:
        """Return the time; after a fault of the clock, the time of the beginning."""
        try:
            return self._shared.clock()
        except Exception as error:
            self._report_fault(error)
            return self._started

    def _take_span(self) -> tuple[Span, Context] | None:
        """Return span and context of another engine, if it has started them."""
        span = self._shared.lent_span()
        if span is None:
            return None
        self._start_time = getattr(span, "start_time", self._start_time)
        if span.is_recording():
            span.set_attributes(dict(self._attributes()))  # without secrets
        return span, get_current()

    def _start_span(self) -> tuple[Span, Context]:
        """Start a span; the context has it, and the baggage of the caller."""
        context, links = self._shared.origin(self.scope["headers"])
        span = self._shared.tracer.start_server_span(
            self._name, context, self._attributes(), self._start_time, links
        )
        return span, set_span_in_context(span, context)

    def _attributes(self) -> RequestAttributes:
        headers = self._shared.request_headers
        return RequestAttributes(self.scope, self._labels.method, headers)

    @property
    def _name(self) -> str:
        """The name of the span until the route is known."""
        method = self._labels.method
        return "HTTP" if method == "_OTHER" else method

    def _span_name(self, route: str) -> str:
        return f"{self._name} {route}" if route else self._name

    def _nanoseconds_after(self, seconds: float) -> int:
        """Return the time of the span's end, so that span and metric have equal durations."""
        return self._start_time + int(seconds * _NS)

    def _capture(self, headers: Iterable[Header]) -> None:
        """Add the headers of a response to the span that a variable names."""
        captured = self._shared.response_headers
        if not captured.is_empty and self.span.is_recording():
            self.span.set_attributes(captured.attributes(headers))

    def _ids(self) -> list[Header]:
        """Return the headers with ids for the caller."""
        headers = [(REQUEST_ID, self.request_id.encode("ascii"))]
        span = self.span.get_span_context()
        return headers + trace_headers(span, traceresponse=self._shared.traceresponse)

    def _attach_ids(self, error: BaseException) -> None:
        """Attach the ids to an exception, which a server logs when the context is gone."""
        ids = span_ids(self.span.get_span_context())
        attach_ids(error, {"request_id": self.request_id, **ids})

    def _report_fault(self, error: Exception) -> None:
        reraise_interruption(error)
        self._shared.faults.report("request", type(error).__name__, error)
