"""One WebSocket connection: what passes between server and application, and its report."""

from __future__ import annotations

import logging
from typing import Any, Final, NamedTuple

from otel_meta.runtime.logs.access import WriteRecord
from otel_meta.semconv import WEBSOCKET_SERVER_FAULTS, CloseReason
from otel_meta.web.asgi import Message, Receive, Scope, Send
from otel_meta.web.engine.after_response import AfterResponse
from otel_meta.web.engine.exchange import Exchange, Shared
from otel_meta.web.engine.guarded_tracer import SpanEnd
from otel_meta.web.engine.outcome import SERVER_ERRORS_FROM, is_cancellation, qualified_name
from otel_meta.web.engine.response_headers import copy_of_start, read_headers, with_ids
from otel_meta.web.frameworks import is_websocket_disconnect

from .close_codes import reason_of_close, reason_of_disconnect
from .websocket_metrics import WebSocketMetrics

_ACCEPTED: Final = 101
_REFUSED: Final = 403
_STARTS: Final = frozenset({"websocket.accept", "websocket.http.response.start"})


class WebSocketRecorder(NamedTuple):
    """What the connections of an application share."""

    metrics: WebSocketMetrics
    after: AfterResponse


class WebSocketExchange(Exchange):
    """Wraps ``receive`` and ``send`` of one connection, and reports its end once."""

    _path = ""
    _status = 0
    _code: int | None = None
    _reason: CloseReason | None = None
    _opened: float | None = None
    _received: float | None = None
    """When the application got the message that it handles now."""
    background_error: BaseException | None = None
    """None: a connection has no background tasks."""

    def __init__(
        self,
        shared: Shared,
        recorder: WebSocketRecorder,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        super().__init__(shared, scope, receive, send)
        self._recorder: Final = recorder
        self._metrics: Final = recorder.metrics

    @property
    def _name(self) -> str:
        return "WS"

    @property
    def status(self) -> int:
        """The status of the handshake; 0 until it is answered."""
        return self._status

    def count(self) -> None:
        """Do nothing: a connection is active from its acceptance."""

    async def receive(self) -> Message:
        """Receive a message; the call shows that the one before is handled."""
        try:
            self._handled()
        except Exception as error:
            self._report_fault(error)
        return await super().receive()

    async def send(self, message: Message) -> None:
        """Send a message; the answer to the handshake gets the ids as headers."""
        try:
            message, started = self._before(message)
        except Exception as error:
            self._report_fault(error)
            started = 0.0
        try:
            await self._send(message)
        except OSError:
            self._lose()
            raise
        try:
            self._after(message, started)
        except Exception as error:
            self._report_fault(error)

    def hold(self, _record: logging.LogRecord, _write: WriteRecord) -> bool:
        """Hold no line: a connection may last for hours."""
        return False

    def fail(self, error: BaseException) -> None:
        """Note the exception of the application, and attach the ids to it for the logs."""
        self._attach_ids(error)
        if self._reason is None:
            self._error = error
            self._reason = "going_away" if is_cancellation(error) else "server_error"
        elif not _follows_from_end(error):
            self._recorder.after.failed(self, error)

    def _lose(self) -> None:
        """Note a lost connection, with the close code of the client if the server has one."""
        try:
            self._look_for_message()
        except Exception as error:
            self._report_fault(error)
        self._reason = self._reason or "vanished"

    def _note_received(self, message: Message) -> None:
        if message["type"] == "websocket.receive":
            self._received = self._now()
        elif message["type"] == "websocket.disconnect" and self._reason is None:
            self._reason, self._code = reason_of_disconnect(message), message.get("code")

    def _handled(self) -> None:
        received, self._received = self._received, None
        if received is not None:
            self._metrics.received(self._path, self._now() - received)

    def _before(self, message: Message) -> tuple[Message, float]:
        if message["type"] in _STARTS:
            message = copy_of_start(message)
            headers = message["headers"]
            self._capture(headers)
            message["headers"] = with_ids(headers, read_headers(headers), self._ids())
        return message, self._now()

    def _after(self, message: Message, started: float) -> None:
        match message["type"]:
            case "websocket.send":
                self._metrics.sent(self._path, self._now() - started)
            case "websocket.accept":
                self._open()
            case "websocket.close":
                self._close(message)
            case "websocket.http.response.start":
                self._refuse(message["status"])
            case _:
                pass

    def _open(self) -> None:
        self._status, self._opened = _ACCEPTED, self._now()
        self._path = self.route
        self._metrics.opened(self._path)

    def _close(self, message: Message) -> None:
        if self._opened is None:
            self._refuse(_REFUSED)
        elif self._reason is None:
            self._code = message.get("code", 1000)
            self._reason = reason_of_close(self._code)

    def _refuse(self, status: int) -> None:
        self._status = status
        self._reason = "server_error" if status >= SERVER_ERRORS_FROM else "rejected"

    def _report(self) -> None:
        self._handled()
        now = self._now()
        reason = self._reason or "abnormal"
        seconds = None if self._opened is None else now - self._opened
        if self._opened is None:
            self._path = self.route
        self._metrics.closed(self._path, reason, seconds)
        if self.span.is_recording():
            self._end_span(now - self._started, reason)

    def _end_span(self, seconds: float, reason: CloseReason) -> None:
        attributes: dict[str, Any] = {"otel_meta.websocket.close_reason": reason}
        error_type = self._error_type(reason)
        known = zip(
            _END_ATTRIBUTES, (self._path, self._status, error_type, self._code), strict=True
        )
        attributes.update((key, value) for key, value in known if value)
        self._shared.tracer.end(
            self.span,
            SpanEnd(
                self._span_name(self._path),
                attributes,
                self._nanoseconds_after(seconds),
                error=self._error if error_type else None,
                is_error=bool(error_type),
            ),
        )

    def _error_type(self, reason: CloseReason) -> str:
        if reason not in WEBSOCKET_SERVER_FAULTS:
            return ""
        return reason if self._error is None else qualified_name(self._error)


def _follows_from_end(error: BaseException) -> bool:
    """Return True if the end of the connection is the cause of an exception."""
    return isinstance(error, OSError) or is_cancellation(error) or is_websocket_disconnect(error)


_END_ATTRIBUTES: Final = (
    "http.route",
    "http.response.status_code",
    "error.type",
    "otel_meta.websocket.close_code",
)
