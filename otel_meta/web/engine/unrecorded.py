"""Requests without spans, metrics and SLO events: excluded ones, and those of the endpoints."""

from __future__ import annotations

from random import getrandbits
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from otel_meta.runtime.logs.access import RequestInProgress
from otel_meta.web.asgi import App, Receive, Scope, Send

from .fresh_context import RequestContext, leave
from .marks import EXCHANGE
from .request_ids import RequestIds


class UnrecordedRequests:
    """Serves requests within a span that is not sampled, so that no child is recorded.

    Args:
        contexts: enters those of the requests.
        request: decides on the access lines.
    """

    def __init__(self, contexts: RequestContext, request: RequestInProgress) -> None:
        self._contexts: Final = contexts
        self._request: Final = request
        self._ids: Final = RequestIds()

    async def __call__(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application."""
        scope[EXCHANGE] = None
        entered = self._contexts.enter(self._request, _unsampled(), self._ids.choose(None))
        try:
            await app(scope, receive, send)
        finally:
            leave(entered)


def _unsampled() -> Context:
    span = SpanContext(getrandbits(128) or 1, getrandbits(64) or 1, is_remote=False)
    return set_span_in_context(NonRecordingSpan(span), Context())
