"""The context of a request: its span, its baggage and its id, and nothing of another request.

A server may start a request in the context of the one before on the same connection: uvicorn reads
the next request while the application of the former receives its body. The trace context is
therefore always replaced. Fields that structlog has bound are replaced if the context has the mark
of another request; fields bound at the import of the application remain.

A server may also run one request after the other in the same context, as a test does. Fields that a
request has bound are therefore removed at its end. Most requests bind none, which the number of the
context's variables tells at no cost.
"""

from __future__ import annotations

import contextvars
from contextvars import ContextVar, Token, copy_context
from typing import Any, Final

from opentelemetry.context import Context, attach, detach
from structlog.contextvars import (
    bind_contextvars,
    clear_contextvars,
    get_contextvars,
    reset_contextvars,
)

from otel_meta.runtime.logs.access import (
    REQUEST_IN_PROGRESS,
    UNHELD_REQUEST,
    RequestInProgress,
)

_REQUEST_ID: Final = "request_id"


class RequestContext:
    """Enters the contexts of requests.

    Create it when the application is instrumented: its first request may have fields already, which
    middleware outside has bound.
    """

    def __init__(self) -> None:
        self._fields = get_contextvars()
        self._request_id: Final = _variable_of(_REQUEST_ID)

    def take_fields(self) -> None:
        """Add the fields bound until now, which every request has; call it when a server starts.

        A request that starts another application in its process keeps its fields for itself.
        """
        if REQUEST_IN_PROGRESS.get() is None:
            self._fields = {**self._fields, **get_contextvars()}

    def enter(self, request: RequestInProgress, context: Context, request_id: str) -> Entered:
        """Enter the context of a request.

        Args:
            request: receives the access line of the server.
            context: with the span and the baggage.
            request_id: a field of every log line.
        """
        before = copy_context()
        is_marked = REQUEST_IN_PROGRESS.get() is not None
        if is_marked:
            _bind_only(self._fields)
        elif self._fields:  # and those of middleware outside, which may be others
            bind_contextvars(**{**self._fields, **get_contextvars()})
        return (
            before,
            bool(is_marked or self._fields),
            REQUEST_IN_PROGRESS.set(request),
            self._request_id.set(request_id),
            attach(context),
        )


Entered = tuple[contextvars.Context, bool, Token[Any], Token[Any], Token[Any]]
"""A copy of the context before, whether fields may have been bound, and the variables' tokens."""


def leave(entered: Entered) -> None:
    """Restore the context, in which a server or a test may continue."""
    before, had_fields, mark, request_id, context = entered
    detach(context)
    request_id.var.reset(request_id)
    REQUEST_IN_PROGRESS.reset(mark)
    if had_fields:
        _bind_only(before.run(get_contextvars))
    elif len(copy_context()) != len(before) and get_contextvars():
        _bind_only(before.run(get_contextvars))
        # From now on, the number of variables does not tell: those of the fields exist.
        REQUEST_IN_PROGRESS.set(UNHELD_REQUEST)


def _bind_only(fields: dict[str, Any]) -> None:
    clear_contextvars()
    bind_contextvars(**fields)


def _variable_of(field: str) -> ContextVar[Any]:
    """Return the variable in which structlog keeps a field."""
    tokens = bind_contextvars(**{field: ""})
    reset_contextvars(**tokens)
    return tokens[field].var
