"""The outcome of a request, and its ``error.type``."""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from otel_meta.runtime.interruption import class_name
from otel_meta.semconv import Outcome

_CLIENT_ERRORS_FROM: Final = 400
SERVER_ERRORS_FROM: Final = 500
_FAILURES: Final = (Exception, KeyboardInterrupt, SystemExit)
"""Exceptions that are no cancellation, as ``asyncio.CancelledError`` and ``trio.Cancelled`` are."""


class Ending(NamedTuple):
    """The end of a request.

    An outcome without an ``error_type`` is no bad event of an SLO.
    """

    outcome: Outcome
    error_type: str
    """The class of the exception, the status code from 500, or ``incomplete_response``; else ""."""


def ending(
    status: int, error: BaseException | None, *, is_complete: bool, is_disconnected: bool
) -> Ending:
    """Return the end of a request.

    A disconnect precedes an exception, because exceptions follow from it.

    Args:
        status: of the response; 0 if none was started.
        error: raised by the application.
        is_complete: the last byte was sent.
        is_disconnected: the client disconnected before the last byte.
    """
    if is_disconnected:
        return Ending("client_disconnect", "")
    if error is not None:
        return _raised(error)
    if not is_complete:
        return Ending("incomplete_response", "incomplete_response")
    if status >= SERVER_ERRORS_FROM:
        return Ending("server_error", str(status))
    return _CLIENT_ERROR if status >= _CLIENT_ERRORS_FROM else _OK


def qualified_name(error: BaseException) -> str:
    """Return the class of an exception as ``error.type`` has it."""
    module, name = class_name(error)
    return name if module == "builtins" else f"{module}.{name}"


_OK: Final = Ending("ok", "")
_CLIENT_ERROR: Final = Ending("client_error", "")


def is_cancellation(error: BaseException) -> bool:
    """Return True if the server cancelled the application; trio groups cancellations of tasks."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(is_cancellation(each) for each in group.exceptions)
    return not isinstance(error, _FAILURES)


def _raised(error: BaseException) -> Ending:
    if is_cancellation(error):
        return Ending("cancelled", "")
    return Ending("server_error", qualified_name(error))
