"""uvicorn's lines of requests and handshakes, taken apart; their query strings left out."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from structlog.typing import EventDict, WrappedLogger

ACCESS_LOGGER: Final = "uvicorn.access"
_HANDSHAKE: Final = '"WebSocket %s"'


class Access(NamedTuple):
    """A request that was answered."""

    client: str
    method: str
    target: str
    version: str
    status: int

    @property
    def path(self) -> str:
        """The target without its query string, where people put secrets."""
        return self.target.partition("?")[0]


def access_of(args: Any) -> Access | None:
    """What an access record's arguments say; None if they are of another form."""
    match args:
        case (str(client), str(method), str(target), str(version), int(status)):
            return Access(client, method, target, version, status)
        case _:
            return None


def access_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Give the lines of requests and handshakes fields of their own; others pass unchanged."""
    args = event.pop("positional_args", ())
    event.pop("color_message", None)  # the same line again, for terminals
    access = access_of(args) if event["_record"].name == ACCESS_LOGGER else None
    if access is None:
        return _handshake(event, args)
    event["event"] = "request"
    event["client_address"] = access.client
    event["http_request_method"] = access.method
    event["url_path"] = access.path
    event["http_version"] = access.version
    event["http_response_status_code"] = access.status
    return event


def _handshake(event: EventDict, args: Any) -> EventDict:
    form = str(event["_record"].msg)
    match args:
        case (str(client), str(target)) if _HANDSHAKE in form:
            event["event"] = f"WebSocket {form.rpartition(_HANDSHAKE)[2].strip(' []')}"
            event["client_address"] = client
            event["url_path"] = target.partition("?")[0]
        case _:
            pass
    return event
