"""uvicorn's access lines, taken apart: it logs five values in a sentence."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from structlog.typing import EventDict, WrappedLogger

ACCESS_LOGGER: Final = "uvicorn.access"


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
    """Give an access line fields of its own; others pass unchanged."""
    args = event.pop("positional_args", ())
    event.pop("color_message", None)  # the same line again, for terminals
    access = access_of(args) if event["_record"].name == ACCESS_LOGGER else None
    if access is not None:
        event["event"] = "request"
        event["client_address"] = access.client
        event["http_request_method"] = access.method
        event["url_path"] = access.path
        event["http_version"] = access.version
        event["http_response_status_code"] = access.status
    return event
