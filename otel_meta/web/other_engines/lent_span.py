"""Server spans that another engine starts, and the engine of otel_meta describes and ends.

So a span has the status, the route and the duration of the metrics. The other engine would end it
before the outcome is known; its call is ignored once the engine of otel_meta has the span.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
)


class LentSpan(Span):
    """The span as the other engine sees it; it ends the span unless otel_meta has taken it.

    Args:
        span: a server span that has started.
    """

    def __init__(self, span: Span) -> None:
        self._span: Final = span
        self._is_taken = False

    def take(self) -> Span:
        """Return the span, whose end is the caller's task from now on."""
        self._is_taken = True
        return self._span

    def end(self, end_time: int | None = None) -> None:
        """End the span, if nobody has taken it."""
        if not self._is_taken:
            self._span.end(end_time)

    def get_span_context(self) -> SpanContext:
        """Return the ids."""
        return self._span.get_span_context()

    def is_recording(self) -> bool:
        """Return True until the span has ended."""
        return self._span.is_recording()

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes, until the span has ended."""
        if self._span.is_recording():
            self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute, until the span has ended."""
        self.set_attributes({key: value})

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        """Add an event, until the span has ended."""
        if self._span.is_recording():
            self._span.add_event(name, attributes, timestamp)

    def update_name(self, name: str) -> None:
        """Change the name, until the span has ended."""
        if self._span.is_recording():
            self._span.update_name(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status, until the span has ended."""
        if self._span.is_recording():
            self._span.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record an exception, until the span has ended."""
        if self._span.is_recording():
            self._span.record_exception(exception, attributes, timestamp, escaped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


class LendingProvider(TracerProvider):
    """A provider for another engine; its server spans are lent.

    Args:
        provider: starts the spans.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider: Final = provider

    def get_tracer(self, *args: Any, **options: Any) -> Tracer:
        """Return a tracer."""
        return _LendingTracer(self._provider.get_tracer(*args, **options))


class _LendingTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer: Final = tracer

    def start_span(self, *args: Any, **options: Any) -> Span:
        span = self._tracer.start_span(*args, **options)
        return LentSpan(span) if options.get("kind") is SpanKind.SERVER else span

    def start_as_current_span(self, *args: Any, **options: Any) -> Any:
        return self._tracer.start_as_current_span(*args, **options)


def take_lent_span() -> Span | None:
    """Return the server span of another engine, if one is current."""
    span = get_current_span()
    return span.take() if isinstance(span, LentSpan) else None
