"""Exceptions in log lines, with the ids of the request that raised them.

A server logs an unhandled exception after the middleware has returned, when neither the request's
id nor its span is current any more. So the exception itself carries the ids there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

_IDS: Final = "__otel_meta_ids__"


def carry(error: BaseException, ids: Mapping[str, str]) -> None:
    """Have an exception carry ids to whoever logs it."""
    vars(error)[_IDS] = ids


def exception_of(exc_info: Any) -> BaseException | None:
    """The exception that a logging call is about, in any of the forms that it may be given."""
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
    """Add the ids that the event's exception carries, where the context has none."""
    if "exc_info" in event:
        ids: Mapping[str, str] = getattr(exception_of(event["exc_info"]), _IDS, {})
        for name, value in ids.items():
            event.setdefault(name, value)
    return event
