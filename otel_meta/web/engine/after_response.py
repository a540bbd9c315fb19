"""What runs after the last byte: background tasks, and teardown whose exception nobody sees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from opentelemetry.context import attach, detach
from opentelemetry.trace import Span, set_span_in_context

from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import HTTP_SERVER_AFTER_RESPONSE_ERRORS

from .guarded_tracer import GuardedTracer, SpanEnd
from .outcome import qualified_name


class Ended(Protocol):
    """A request or a connection that has ended."""

    background_error: BaseException | None

    @property
    def span(self) -> Span:
        """The server span."""
        ...

    @property
    def route(self) -> str:
        """The template of the route."""
        ...


class Answered(Ended, Protocol):
    """A request whose response is complete."""

    def begin_background(self) -> None:
        """Note that the rest of the call is no part of the request."""
        ...


class AfterResponse:
    """Records spans of background tasks, and exceptions after the response.

    The request keeps its status and duration. A span is a child of the server span.

    Args:
        tracer: starts the spans.
        storage: of the counter.
    """

    def __init__(self, tracer: GuardedTracer, storage: MetricStorage) -> None:
        self._tracer: Final = tracer
        self._errors: Final[Any] = storage.recorder(HTTP_SERVER_AFTER_RESPONSE_ERRORS)

    async def run(self, request: Answered, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a background task in a span of its own."""
        request.begin_background()
        span = self._start(request, f"background {name}")
        token = attach(set_span_in_context(span))
        try:
            await task()
        except BaseException as error:
            request.background_error = error
            self._fail(request, span, "background", error)
            raise
        else:
            self._tracer.end(span, SpanEnd())
        finally:
            detach(token)

    def failed(self, request: Ended, error: BaseException) -> None:
        """Record an exception that is none of a background task."""
        if error is not request.background_error:
            self._fail(request, self._start(request, "teardown"), "teardown", error)

    def _start(self, request: Ended, name: str) -> Span:
        return self._tracer.start(name, request.span)

    def _fail(self, request: Ended, span: Span, phase: str, error: BaseException) -> None:
        kind = qualified_name(error)
        self._errors.add(1, phase=phase, error_type=kind, http_route=request.route)
        end = SpanEnd(attributes={"error.type": kind}, error=error, is_error=True)
        self._tracer.end(span, end)
