"""Access lines of uvicorn, parsed into fields; query strings are removed."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from structlog.typing import EventDict, WrappedLogger

ACCESS_LOGGER: Final = "uvicorn.access"
_HANDSHAKE: Final = '"WebSocket %s"'


class AccessRecord(NamedTuple):
    """An answered request in uvicorn's access log."""

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
        case _:
            return None


def add_access_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add fields to the lines of requests and WebSocket handshakes; other lines are unchanged."""
    args = event.pop("positional_args", ())
    event.pop("color_message", None)  # the message again, coloured for terminals
    access = parse_access_args(args) if event["_record"].name == ACCESS_LOGGER else None
    if access is None:
        return _add_handshake_fields(event, args)
    event["event"] = "request"
    event["client_address"] = access.client
    event["http_request_method"] = access.method
    event["url_path"] = access.path
    event["http_version"] = access.version
    event["http_response_status_code"] = access.status
    return event


def _add_handshake_fields(event: EventDict, args: Any) -> EventDict:
    template = str(event["_record"].msg)
    match args:
        case (str(client), str(target)) if _HANDSHAKE in template:
            event["event"] = f"WebSocket {template.rpartition(_HANDSHAKE)[2].strip(' []')}"
            event["client_address"] = client
            event["url_path"] = target.partition("?")[0]
        case _:
            pass
    return event
