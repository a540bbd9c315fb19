"""One request and its response, watched from outside: status, end, and what went wrong."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Final, NamedTuple

from otel_meta.runtime.logs.exceptions import attach_ids
from otel_meta.runtime.logs.processors import current_ids

from .asgi import Header, Message, Receive, Send

_FAULT_FROM: Final = 500
_BODIES: Final = frozenset(
    {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}
)
REQUEST_ID: Final = b"x-request-id"
TRACE_RESPONSE: Final = b"traceresponse"
"""W3C Trace Context Level 2, https://www.w3.org/TR/trace-context-2/."""


class Outcome(NamedTuple):
    """How a response ended."""

    seconds: float
    status: str
    """Empty if no response was started."""
    error_type: str
    """Empty if the server did its part."""


class RequestCycle:
    """Follows a response on its way out.

    Args:
        send: the server's.
        request_id: returned to the caller.
        report: is called once, when the response has ended.
    """

    def __init__(self, send: Send, request_id: str, report: Callable[[Outcome], None]) -> None:
        self._send: Final = send
        self._request_id: Final = request_id
        self._report: Final = report
        self._started: Final = perf_counter()
        self._ended: float | None = None
        self._status: int | None = None
        self._client_left = False
        self._error: BaseException | None = None
        self._reported = False
        self._span_ids: dict[str, str] = {}

    def hearing(self, receive: Receive) -> Receive:
        """The server's ``receive``; a client that leaves before its answer is whole is noticed."""

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and self._ended is None:
                self._client_left = True
            return message

        return hear

    async def send(self, message: Message) -> None:
        """Pass a message on, with the ids among its headers if it starts the response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._with_ids(message.get("headers", ()))}
        try:
            await self._send(message)
        except OSError:
            self._client_left = True
            raise
        if message["type"] in _BODIES and not message.get("more_body", False):
            self._complete()

    def failed(self, error: BaseException) -> None:
        """Take note of what the application raised, and have it carry the ids."""
        self._error = error
        attach_ids(error, {"request_id": self._request_id, **self._span_ids})

    def finish(self) -> None:
        """Report, unless that has been done."""
        if not self._reported:
            self._reported = True
            ended = perf_counter() if self._ended is None else self._ended
            status = "" if self._status is None else str(self._status)
            self._report(Outcome(ended - self._started, status, self._error_type()))

    def _complete(self) -> None:
        """Report at the last byte, so that background tasks do not count.

        A server error waits until the application is done: the exception behind it comes after
        the response, and names the error better than its status does.
        """
        self._ended = perf_counter()
        if self._status is not None and self._status < _FAULT_FROM:
            self.finish()

    def _error_type(self) -> str:
        if self._client_left or isinstance(self._error, CancelledError):
            return ""
        if self._error is not None:
            return _qualified(type(self._error))
        if self._ended is None:
            return "incomplete_response"
        return str(self._status) if self._status and self._status >= _FAULT_FROM else ""

    def _with_ids(self, headers: Iterable[Header]) -> list[Header]:
        """The application's headers, and the ids that it has not set itself."""
        own = list(headers)
        names = {name.lower() for name, _ in own}
        return [*own, *(header for header in self._ids() if header[0] not in names)]

    def _ids(self) -> list[Header]:
        ids = [(REQUEST_ID, self._request_id.encode("latin-1"))]
        self._span_ids = current_ids()
        if self._span_ids:
            ids.append((TRACE_RESPONSE, f"00-{'-'.join(self._span_ids.values())}".encode()))
        return ids


def _qualified(error: type[BaseException]) -> str:
    module = error.__module__
    return error.__qualname__ if module == "builtins" else f"{module}.{error.__qualname__}"
