"""One request and its response: what passes between server and application, and its report."""

from __future__ import annotations

import logging
from typing import Any, Final, NamedTuple

from opentelemetry.trace import Span

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.logs.access import WriteRecord, add_request_fields
from otel_meta.web.asgi import Message

from .after_response import AfterResponse
from .background import trace_background
from .begun import NS, Begun, Shared
from .disconnects import server_state, waiting_message
from .guarded_tracer import SpanEnd
from .http_metrics import EndLabels, HttpMetrics
from .outcome import SERVER_ERRORS_FROM, Ending, ending
from .response_headers import read_headers, with_ids
from .response_progress import ResponseProgress


class HttpRecorder(NamedTuple):
    """What the requests of an application share."""

    metrics: HttpMetrics
    after: AfterResponse


class HttpExchange:
    """Wraps ``receive`` and ``send`` of one request, and reports its end once."""

    _has_body = False
    """True if the application has received the whole body."""
    _body_bytes = 0
    _kept: tuple[Message, ...] = ()
    """Messages that were received before the application asked for them."""
    _access: tuple[logging.LogRecord, WriteRecord] | None = None
    _error: BaseException | None = None
    _is_disconnected = False
    _stream_is_recorded = False
    _is_reported = False
    background_error: BaseException | None = None

    def __init__(self, shared: Shared, recorder: HttpRecorder, begun: Begun) -> None:
        self.scope = begun.scope
        """Routing leaves the template of the route here."""
        self._shared: Final = shared
        self._recorder: Final = recorder
        self._receive: Final = begun.receive
        self._send: Final = begun.send
        self._begun: Final = begun
        self._server: Final = server_state(begun.receive)
        self._response: Final = ResponseProgress()

    @property
    def request_id(self) -> str:
        """The id of the request."""
        return self._begun.request_id

    @property
    def span(self) -> Span:
        """The server span."""
        return self._begun.span

    @property
    def route(self) -> str:
        """The template of the route, as far as routing has come."""
        return self._shared.route(self.scope)

    def count(self) -> None:
        """Count the request as active, until `finish`."""
        self._recorder.metrics.begin(self._begun.labels)

    async def receive(self) -> Message:
        """Receive a message; count the bytes of the body, and note a disconnect."""
        if self._kept:
            message, *rest = self._kept
            self._kept = tuple(rest)
            return message
        message = await self._receive()
        try:
            self._note_received(message)
        except Exception as error:
            self._report_fault(error)
        return message

    async def send(self, message: Message) -> None:
        """Send a message; the start of the response gets the ids as headers."""
        try:
            message = self._before(message)
        except Exception as error:
            self._report_fault(error)
        try:
            await self._send(message)
        except OSError:
            self._is_disconnected = self._response.ended is None
            raise
        try:
            self._after(message)
        except Exception as error:
            self._report_fault(error)

    def hold(self, record: logging.LogRecord, write: WriteRecord) -> bool:
        """Hold the access line of the server until route and duration are known."""
        if self._is_reported:
            return False
        self._access = record, write
        return True

    def trace_background(self) -> None:
        """Let the background tasks of the starting response run in spans; call it from ``send``."""
        try:
            trace_background(self, self._recorder.after)
        except Exception as error:
            self._report_fault(error)

    def fail(self, error: BaseException) -> None:
        """Note the exception of the application, and attach the ids to it for the logs."""
        self._begun.attach_ids(error)
        if self._is_reported:
            self._recorder.after.failed(self, error)
        else:
            self._error = error

    def finish(self) -> None:
        """Report the end of the request, at most once."""
        if self._is_reported:
            return
        self._is_reported = True
        try:
            self._report()
        except Exception as error:
            self._report_fault(error)

    def _note_received(self, message: Message) -> None:
        if message["type"] == "http.request":
            self._body_bytes += len(message.get("body", b""))
            self._has_body = not message.get("more_body", False)
        elif message["type"] == "http.disconnect" and self._response.ended is None:
            self._is_disconnected = True

    def _before(self, message: Message) -> Message:
        if message["type"] != "http.response.start":
            return message
        self._look_for_disconnect()
        headers = message.get("headers", ())
        found = read_headers(headers)
        self._response.start(message, found)
        return {**message, "headers": with_ids(headers, found, self._shared.ids(self._begun))}

    def _after(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            return
        response = self._response
        response.sent(message, self._shared.clock())
        if not self._stream_is_recorded and response.is_stream:
            self._record_stream()
        if response.ended is not None:
            self._complete()

    def _complete(self) -> None:
        """Report after the last byte, so that background tasks do not add to the duration.

        A server error is reported when the application returns: frameworks raise its exception
        again after the response, and the exception's type says more than the status.
        """
        if self._server is not None and self._server.disconnected:
            self._is_disconnected = True
        if self._response.status < SERVER_ERRORS_FROM:
            self.finish()

    def _look_for_disconnect(self) -> None:
        """Look whether the client is gone, without reading the body for it."""
        if self._server is not None:
            self._is_disconnected |= self._server.disconnected
            return
        if not self._has_body and self._begun.content_length == 0:
            self._keep(waiting_message(self._receive))  # the end of the empty body
        if self._has_body and not self._is_disconnected:
            self._keep(waiting_message(self._receive))

    def _keep(self, message: Message | None) -> None:
        """Keep a message for the application, which may still ask for it."""
        if message is not None:
            self._note_received(message)
            self._kept = (*self._kept, message)

    def _record_stream(self) -> None:
        first_byte = self._response.first_byte
        if first_byte is not None:
            self._stream_is_recorded = True
            seconds = first_byte - self._begun.started
            status = str(self._response.status)
            self._recorder.metrics.first_byte(seconds, self._begun.labels, self.route, status)

    def _report(self) -> None:
        begun, response, recorder = self._begun, self._response, self._recorder
        seconds = self._ended() - begun.started
        end = ending(
            response.status,
            self._error,
            is_complete=response.ended is not None,
            is_disconnected=self._is_disconnected,
        )
        route = self.route
        recorder.metrics.end(
            seconds,
            EndLabels(
                begun.labels,
                route,
                status=str(response.status or ""),
                outcome=end.outcome,
                error_type=end.error_type,
                stream="true" if response.is_stream else "",
            ),
        )
        sizes = self._sizes()
        recorder.metrics.sizes(begun.labels, route, *sizes)
        if begun.span.is_recording():
            self._end_span(seconds, route, end, sizes)
        if self._access is not None:
            record, write = self._access
            add_request_fields(record, route, seconds)
            write(record)

    def _ended(self) -> float:
        if self._response.ended is not None:
            return self._response.ended
        try:
            return self._shared.clock()
        except Exception as error:
            self._report_fault(error)
            return self._begun.started

    def _sizes(self) -> tuple[int | None, int | None]:
        """Return the sizes of the bodies of request and response, where they are exact."""
        request = self._body_bytes if self._has_body else self._begun.content_length
        is_complete = self._response.ended is not None and not self._is_disconnected
        has_body = self.scope["method"] != "HEAD"
        return request or None, self._response.size if is_complete and has_body else None

    def _end_span(
        self, seconds: float, route: str, end: Ending, sizes: tuple[int | None, int | None]
    ) -> None:
        begun = self._begun
        method = "HTTP" if begun.labels.method == "_OTHER" else begun.labels.method
        attributes: dict[str, Any] = {"otel_meta.outcome": end.outcome}
        known = zip(
            _END_ATTRIBUTES, (route, self._response.status, end.error_type, *sizes), strict=True
        )
        attributes.update((key, value) for key, value in known if value)
        self._shared.tracer.end(
            begun.span,
            SpanEnd(
                name=f"{method} {route}" if route else method,
                attributes=attributes,
                time=begun.start_time + int(seconds * NS),
                error=self._error if end.error_type else None,
                is_error=bool(end.error_type),
            ),
        )

    def _report_fault(self, error: Exception) -> None:
        reraise_interruption(error)
        self._shared.faults.report("request", type(error).__name__, error)


_END_ATTRIBUTES: Final = (
    "http.route",
    "http.response.status_code",
    "error.type",
    "http.request.body.size",
    "http.response.body.size",
)
