"""The cycle of one request: id, status and duration of the response, error type."""

from __future__ import annotations

import re
import uuid
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Final, NamedTuple

from otel_meta.runtime.logs.exceptions import attach_ids
from otel_meta.runtime.logs.processors import current_ids

from .asgi import Header, Message, Receive, Send

_SERVER_ERRORS_FROM: Final = 500
_BODY_MESSAGES: Final = frozenset(
    {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}
)
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._~:/+=-]{1,128}")
REQUEST_ID: Final = b"x-request-id"
TRACE_RESPONSE: Final = b"traceresponse"
"""W3C Trace Context Level 2, https://www.w3.org/TR/trace-context-2/."""


def choose_request_id(received: str) -> str:
    """Return the value of ``X-Request-ID`` if it is safe to log, else a new id."""
    return received if _SAFE_ID.fullmatch(received) else uuid.uuid4().hex


class Outcome(NamedTuple):
    """The result of a request."""

    seconds: float
    status: str
    """Empty if the response was not started."""
    error_type: str
    """Empty unless the server failed."""


class RequestCycle:
    """Wraps ``receive`` and ``send`` of one request.

    Args:
        send: from the server.
        request_id: added to the response headers.
        report: called once, at the end of the response.
    """

    def __init__(self, send: Send, request_id: str, report: Callable[[Outcome], None]) -> None:
        self._send: Final = send
        self._request_id: Final = request_id
        self._report: Final = report
        self._started: Final = perf_counter()
        self._ended: float | None = None
        self._status: int | None = None
        self._disconnected = False
        self._error: BaseException | None = None
        self._reported = False
        self._span_ids: dict[str, str] = {}

    def wrap_receive(self, receive: Receive) -> Receive:
        """Wrap ``receive``, and note a disconnect before the response is complete."""

        async def receive_wrapper() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and self._ended is None:
                self._disconnected = True
            return message

        return receive_wrapper

    async def send(self, message: Message) -> None:
        """Send a message; the start of the response gets the ids as headers."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._with_ids(message.get("headers", ()))}
        try:
            await self._send(message)
        except OSError:
            self._disconnected = True
            raise
        if message["type"] in _BODY_MESSAGES and not message.get("more_body", False):
            self._complete()

    def record_exception(self, error: BaseException) -> None:
        """Note the exception of the application, and attach the ids to it for the logs."""
        self._error = error
        attach_ids(error, {"request_id": self._request_id, **self._span_ids})

    def finish(self) -> None:
        """Report the outcome, at most once."""
        if not self._reported:
            self._reported = True
            ended = perf_counter() if self._ended is None else self._ended
            status = "" if self._status is None else str(self._status)
            self._report(Outcome(ended - self._started, status, self._error_type()))

    def _complete(self) -> None:
        """Report after the last byte, so that background tasks do not add to the duration.

        A server error is reported when the application returns: frameworks raise its exception
        again after the response, and the exception's type says more than the status.
        """
        self._ended = perf_counter()
        if self._status is not None and self._status < _SERVER_ERRORS_FROM:
            self.finish()

    def _error_type(self) -> str:
        if self._disconnected or isinstance(self._error, CancelledError):
            return ""
        if self._error is not None:
            return _qualified_name(type(self._error))
        if self._ended is None:
            return "incomplete_response"
        return str(self._status) if self._status and self._status >= _SERVER_ERRORS_FROM else ""

    def _with_ids(self, headers: Iterable[Header]) -> list[Header]:
        """Add the id headers, unless the application has set them."""
        own = list(headers)
        names = {name.lower() for name, _ in own}
        return [*own, *(header for header in self._ids() if header[0] not in names)]

    def _ids(self) -> list[Header]:
        ids = [(REQUEST_ID, self._request_id.encode("latin-1"))]
        self._span_ids = current_ids()
        if self._span_ids:
            ids.append((TRACE_RESPONSE, f"00-{'-'.join(self._span_ids.values())}".encode()))
        return ids


def _qualified_name(error: type[BaseException]) -> str:
    module = error.__module__
    return error.__qualname__ if module == "builtins" else f"{module}.{error.__qualname__}"
