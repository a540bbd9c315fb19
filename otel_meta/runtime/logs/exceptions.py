"""Request and trace ids attached to an exception, for the log line of the exception.

A server logs an unhandled exception after the middleware has returned. By then neither the request
id nor the span is in the context, so the middleware attaches the ids to the exception.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

_IDS: Final = "__otel_meta_ids__"


def attach_ids(error: BaseException, ids: Mapping[str, str]) -> None:
    """Attach ids to an exception, for `add_ids_of_exception`."""
    vars(error)[_IDS] = ids


def get_exception(exc_info: Any) -> BaseException | None:
    """Return the exception of ``exc_info``: True, an exception, or a tuple; None for the rest."""
    match exc_info:
        case True:
            return sys.exception()
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case _:
            return None


def add_ids_of_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the ids attached to the event's exception; ids from the context take precedence."""
    if "exc_info" in event:
        ids: Mapping[str, str] = getattr(get_exception(event["exc_info"]), _IDS, {})
        for name, value in ids.items():
            event.setdefault(name, value)
    return event
