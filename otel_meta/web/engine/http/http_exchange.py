"""One request and its response: what passes between server and application, and its report."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

from otel_meta.runtime.logs.access import WriteRecord, add_request_fields
from otel_meta.semconv import HTTP_SERVER_TIME_TO_FIRST_BYTE
from otel_meta.web.asgi import Header, Message, Receive, Scope, Send
from otel_meta.web.engine.after_response import AfterResponse
from otel_meta.web.engine.disconnects import server_state
from otel_meta.web.engine.exchange import Exchange, Shared
from otel_meta.web.engine.guarded_tracer import SpanEnd
from otel_meta.web.engine.outcome import SERVER_ERRORS_FROM, Ending, ending
from otel_meta.web.engine.response_headers import (
    CONTENT_LENGTH,
    copy_of_start,
    read_headers,
    with_ids,
)

from .background import trace_background
from .http_metrics import HttpMetrics
from .response_progress import ResponseProgress

_FIRST_BYTE: Final = HTTP_SERVER_TIME_TO_FIRST_BYTE.name
_ANNOUNCE_BODY: Final = frozenset({CONTENT_LENGTH, b"transfer-encoding"})


class HttpRecorder(NamedTuple):
    """What the requests of an application share."""

    metrics: HttpMetrics
    after: AfterResponse


class HttpExchange(Exchange):
    """Wraps ``receive`` and ``send`` of one request, and reports its end once."""

    _has_body = False
    """True if the application has received the whole body."""
    _body_bytes = 0
    _access: tuple[logging.LogRecord, WriteRecord] | None = None
    _is_disconnected = False
    _stream_seconds: float | None = None
    """Time to the first byte of a stream."""
    _has_traced_background = False
    background_error: BaseException | None = None

    def __init__(
        self, shared: Shared, recorder: HttpRecorder, scope: Scope, receive: Receive, send: Send
    ) -> None:
        super().__init__(shared, scope, receive, send)
        self._recorder: Final = recorder
        self._server: Final = server_state(receive)
        self._response: Final = ResponseProgress()

    @property
    def status(self) -> int:
        """The status of the response; 0 until it starts."""
        return self._response.status

    def count(self) -> None:
        """Count the request as active, until `finish`."""
        self._recorder.metrics.begin(self._labels)

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
        self._has_traced_background = True
        try:
            trace_background()
        except Exception as error:
            self._report_fault(error)

    def begin_background(self) -> None:
        """Report a complete response, also a server error: the task may run for hours."""
        if self._response.ended is not None:
            try:
                self.finish()
            except Exception as error:
                self._report_fault(error)

    async def run_background(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a background task in a span of its own."""
        await self._recorder.after.run(self, name, task)

    def fail(self, error: BaseException) -> None:
        """Note the exception of the application, and attach the ids to it for the logs."""
        self._attach_ids(error)
        if self._is_reported:
            self._recorder.after.failed(self, error)
        else:
            self._error = error

    def _note_received(self, message: Message) -> None:
        if message["type"] == "http.request":
            self._body_bytes += len(message.get("body", b""))
            self._has_body = not message.get("more_body", False)
        elif message["type"] == "http.disconnect" and self._response.ended is None:
            self._is_disconnected = True

    def _before(self, message: Message) -> Message:
        if message["type"] != "http.response.start" or self._response.status:
            return message  # a second start is an error, which the server reports
        if not self._has_traced_background:
            self.trace_background()
        message = copy_of_start(message)
        try:
            self._start(message)
        except Exception as error:
            self._report_fault(error)
        return message

    def _start(self, message: Message) -> None:
        headers = message["headers"]
        found = read_headers(headers)
        self._response.start(message, found)
        message["headers"] = with_ids(headers, found, self._ids())
        self._capture(headers)

    def _after(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._look_for_disconnect()
            return
        response = self._response
        response.sent(message, self._now())
        if self._stream_seconds is None and response.is_stream:
            self._record_stream()
        if response.ended is not None:
            self._complete()

    def _complete(self) -> None:
        """Report after the last byte, so that background tasks do not add to the duration.

        A server error is reported when the application returns or runs a background task:
        frameworks raise its exception again after the response, and its type says more than the
        status.
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
        if not self._has_body and self._has_no_body():
            self._look_for_message()  # the end of the empty body
        if self._has_body and not self._is_disconnected:
            self._look_for_message()

    def _record_stream(self) -> None:
        first_byte = self._response.first_byte
        if first_byte is not None:
            self._stream_seconds = seconds = first_byte - self._started
            status = str(self._response.status)
            self._recorder.metrics.first_byte(seconds, self._labels, self.route, status)

    def _report(self) -> None:
        self._recorder.metrics.leave(self._labels)
        ended = self._response.ended
        seconds = (self._now() if ended is None else ended) - self._started
        route = self.route
        try:
            self._record(seconds, route)
        finally:
            self._write_access_line(route, seconds)

    def _record(self, seconds: float, route: str) -> None:
        response, recorder = self._response, self._recorder
        end = ending(
            response.status,
            self._error,
            is_complete=response.ended is not None,
            is_disconnected=self._is_disconnected,
        )
        recorder.metrics.end(
            seconds, self._labels, route, (response.status, response.is_stream), end
        )
        sizes = self._sizes()
        recorder.metrics.sizes(self._labels, route, *sizes)
        if self.span.is_recording():
            self._end_span(seconds, route, end, sizes)

    def _write_access_line(self, route: str, seconds: float) -> None:
        if self._access is not None:
            record, write = self._access
            add_request_fields(record, route, seconds)
            write(record)

    def _sizes(self) -> tuple[int | None, int | None]:
        """Return the sizes of the bodies of request and response, where they are exact."""
        request = self._body_bytes if self._has_body else None  # a length is the client's claim
        is_complete = self._response.ended is not None and not self._is_disconnected
        has_body = self.scope["method"] != "HEAD"
        return request or None, self._response.size if is_complete and has_body else None

    def _end_span(
        self, seconds: float, route: str, end: Ending, sizes: tuple[int | None, int | None]
    ) -> None:
        values = (route, self._response.status, end.error_type, *sizes)
        known = zip(_END_ATTRIBUTES, values, strict=True)
        attributes: dict[str, Any] = {key: value for key, value in known if value}
        attributes["otel_meta.outcome"] = end.outcome
        if self._stream_seconds is not None:
            attributes |= {"stream": "true", _FIRST_BYTE: self._stream_seconds}
        self._shared.tracer.end(
            self.span,
            SpanEnd(
                self._span_name(route),
                attributes,
                self._nanoseconds_after(seconds),
                error=self._error if end.error_type else None,
                is_error=bool(end.error_type),
            ),
        )

    def _has_no_body(self) -> bool:
        """Return True if the headers announce no body."""
        headers: Iterable[Header] = self.scope["headers"]
        return all(value == b"0" for name, value in headers if name in _ANNOUNCE_BODY)


_END_ATTRIBUTES: Final = (
    "http.route",
    "http.response.status_code",
    "error.type",
    "http.request.body.size",
    "http.response.body.size",
)
