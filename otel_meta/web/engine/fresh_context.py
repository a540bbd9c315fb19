"""The context of a request: its span, its baggage and its id, and nothing of another request.

A server may start a request in the context of the one before on the same connection: uvicorn reads
the next request while the application of the former receives its body. The trace context is
therefore always replaced. Fields that structlog has bound are replaced if the context has the mark
of another request; fields bound at the import of the application remain.
"""

from __future__ import annotations

from contextvars import Token
from typing import Any, Final

from opentelemetry.context import Context, attach, detach
from structlog.contextvars import (
    bind_contextvars,
    clear_contextvars,
    get_contextvars,
    reset_contextvars,
)

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS, RequestInProgress


class RequestContext:
    """Enters and leaves the contexts of requests.

    Its creation takes the bound fields, which every request has.
    """

    def __init__(self) -> None:
        self._fields: Final = get_contextvars()

    def enter(self, request: RequestInProgress, context: Context, request_id: str) -> Entered:
        """Enter the context of a request.

        Args:
            request: receives the access line of the server.
            context: with the span and the baggage.
            request_id: a field of every log line.
        """
        before = get_contextvars()
        if REQUEST_IN_PROGRESS.get() is not None:
            clear_contextvars()
            bind_contextvars(**self._fields)
        return Entered(
            before,
            REQUEST_IN_PROGRESS.set(request),
            bind_contextvars(request_id=request_id),
            attach(context),
        )


class Entered:
    """What `RequestContext.enter` has changed."""

    __slots__ = ("_before", "_context", "_mark", "_request_id")

    def __init__(self, before: Any, mark: Token[Any], request_id: Any, context: Token[Any]) -> None:
        self._before: Final[dict[str, Any]] = before
        self._mark: Final = mark
        self._request_id: Final = request_id
        self._context: Final = context

    def leave(self) -> None:
        """Restore the context, in which a server or a test may continue."""
        detach(self._context)
        reset_contextvars(**self._request_id)
        REQUEST_IN_PROGRESS.reset(self._mark)
        fields = get_contextvars()
        if not _are_same(fields, self._before):
            clear_contextvars()
            bind_contextvars(**self._before)


def _are_same(fields: dict[str, Any], others: dict[str, Any]) -> bool:
    """Compare by identity: values of the application may have any ``__eq__``."""
    return fields.keys() == others.keys() and all(fields[k] is others[k] for k in others)
