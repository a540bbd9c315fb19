"""What the exchanges of an application share, and what is known when one begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from opentelemetry.trace import Span

from otel_meta.runtime.logs.exceptions import attach_ids
from otel_meta.runtime.logs.processors import span_ids
from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.asgi import Header, Message, Receive, Scope, Send

from .guarded_tracer import GuardedTracer
from .http_metrics import RequestLabels
from .response_headers import REQUEST_ID, read_headers, trace_headers, with_ids

NS: Final = 1_000_000_000
"""Nanoseconds in a second."""


class Begun(NamedTuple):
    """What is known when a request or a handshake begins."""

    scope: Scope
    receive: Receive
    send: Send
    labels: RequestLabels
    request_id: str
    span: Span
    start_time: int
    """Nanoseconds since the epoch."""
    started: float
    """By the clock, in seconds."""
    content_length: int | None

    def attach_ids(self, error: BaseException) -> None:
        """Attach the ids to an exception, which a server logs when the context is gone."""
        ids = span_ids(self.span.get_span_context())
        attach_ids(error, {"request_id": self.request_id, **ids})


class Shared(NamedTuple):
    """What the exchanges of an application share."""

    tracer: GuardedTracer
    faults: Faults
    route: Callable[[Scope], str]
    clock: Callable[[], float]
    traceresponse: bool

    def ids(self, begun: Begun) -> list[Header]:
        """Return the headers with ids for the caller."""
        headers = [(REQUEST_ID, begun.request_id.encode("ascii"))]
        span = begun.span.get_span_context()
        return headers + trace_headers(span, traceresponse=self.traceresponse)

    def with_ids(self, message: Message, begun: Begun) -> Message:
        """Return a message that starts a response, with ids in its headers."""
        headers = message.get("headers", ())
        return {**message, "headers": with_ids(headers, read_headers(headers), self.ids(begun))}
