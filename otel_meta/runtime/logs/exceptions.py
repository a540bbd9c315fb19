"""Request and trace ids attached to an exception, for the log line of the exception.

A server logs an unhandled exception after the middleware has returned. By then neither the request
id nor the span is in the context, so the middleware attaches the ids to the exception.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from otel_meta.runtime.interruption import own_attribute

_IDS: Final = "__otel_meta_ids__"


def attach_ids(error: BaseException, ids: Mapping[str, str]) -> None:
    """Attach ids to an exception, for `ids_of`."""
    own_attribute(error, "__dict__")[_IDS] = ids


def ids_of(error: BaseException) -> Mapping[str, str]:
    """Return the ids attached to an exception."""
    ids: Mapping[str, str] = own_attribute(error, "__dict__").get(_IDS, {})
    return ids


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
