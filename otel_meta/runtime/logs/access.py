"""Access lines of servers, parsed into fields; query strings are removed.

A server writes its line when a response starts or ends. The line of a request that the engine
serves is held until the end, when the route and the duration are known. Whether there is a line,
and where it goes, therefore remains the server's choice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol

from structlog.typing import EventDict

ACCESS_EVENT: Final = "request"
"""The message of an access line; the details are fields."""
_ACCESS_LOGGERS: Final = frozenset({"uvicorn.access", "gunicorn.access", "hypercorn.access"})
_HANDSHAKE: Final = '"WebSocket %s"'
_FIRST_ERROR_STATUS: Final = 400


class AccessRecord(NamedTuple):
    """An answered request in the access log of a server."""

    client: str
    method: str
    target: str
    version: str
    status: int

    @property
    def path(self) -> str:
        """The target without the query string: secrets must not leak."""
        return self.target.partition("?")[0]


def parse_access_args(args: Any) -> AccessRecord | None:
    """Parse the arguments of an access log record; return None if the types do not match."""
    match args:
        case (str(client), str(method), str(target), str(version), int(status)):
            return AccessRecord(client, method, target, version, status)
        case {"h": client, "m": method, "U": target, "H": version, "s": status}:
            version = str(version).removeprefix("HTTP/")
            return AccessRecord(str(client), str(method), str(target), version, _number(status))
        case _:
            return None


def add_access_fields(record: logging.LogRecord, event: EventDict) -> EventDict:
    """Add fields to the lines of requests and WebSocket handshakes; other lines are unchanged."""
    if not record.args:
        return event
    access = parse_access_args(record.args) if record.name in _ACCESS_LOGGERS else None
    if access is None:
        return _add_handshake_fields(record, event)
    event["event"] = ACCESS_EVENT
    event["client_address"] = access.client
    event["http_request_method"] = access.method
    event["url_path"] = access.path
    event["http_version"] = access.version
    event["http_response_status_code"] = access.status
    return event


WriteRecord = Callable[[logging.LogRecord], None]


class RequestInProgress(Protocol):
    """A request that may hold the access line of the server."""

    def hold(self, record: logging.LogRecord, write: WriteRecord, /) -> bool:
        """Return True if the request holds or drops the line."""
        ...


REQUEST_IN_PROGRESS: Final[ContextVar[RequestInProgress | None]] = ContextVar(
    "otel_meta_request", default=None
)
"""The request that runs in this context."""


class QuietRequest:
    """A scrape or a probe, which comes every few seconds: only the line of a failure is written."""

    def hold(self, record: logging.LogRecord, _write: WriteRecord) -> bool:
        """Drop the access line of a successful request."""
        access = parse_access_args(record.args)
        return access is not None and access.status < _FIRST_ERROR_STATUS


class UnheldRequest:
    """A request whose access line is written at once."""

    def hold(self, _record: logging.LogRecord, _write: WriteRecord) -> bool:
        """Hold no line."""
        return False


UNHELD_REQUEST: Final = UnheldRequest()


def is_held(record: logging.LogRecord, write: WriteRecord) -> bool:
    """Return True if a record is an access line that the request in progress holds or drops."""
    if record.name not in _ACCESS_LOGGERS:
        return False
    request = REQUEST_IN_PROGRESS.get()
    return request is not None and request.hold(record, write)


def add_request_fields(record: logging.LogRecord, route: str, seconds: float) -> None:
    """Add the template of the route and the duration to an access line."""
    fields = {"http_route": route, "duration_seconds": round(seconds, 6)}
    vars(record).update((name, value) for name, value in fields.items() if value != "")


def _add_handshake_fields(record: logging.LogRecord, event: EventDict) -> EventDict:
    template = record.msg
    if not isinstance(template, str) or _HANDSHAKE not in template:
        return event
    match record.args:
        case (str(client), str(target)):
            event["event"] = f"WebSocket {template.rpartition(_HANDSHAKE)[2].strip(' []')}"
            event["client_address"] = client
            event["url_path"] = target.partition("?")[0]
        case _:
            pass
    return event


def _number(status: Any) -> int:
    return int(status) if str(status).isdecimal() else 0
