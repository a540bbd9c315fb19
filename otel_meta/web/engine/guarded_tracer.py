"""A tracer whose faults are counted: a sampler, a processor or a hook cannot fail a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.asgi import Scope

RequestHook = Callable[[Span, Scope], object]

_ERROR: Final = Status(StatusCode.ERROR)


class SpanEnd(NamedTuple):
    """What is known of a span when it ends."""

    name: str | None = None
    """A better name than at the start."""
    attributes: Mapping[str, Any] = {}
    time: int | None = None
    """Nanoseconds since the epoch; now by default."""
    error: BaseException | None = None
    is_error: bool = False


class GuardedTracer:
    """Starts and ends spans.

    Args:
        tracer: None if no spans are recorded; the ids of the caller are kept.
        faults: counts what fails.
    """

    def __init__(self, tracer: Tracer | None, faults: Faults) -> None:
        self._tracer: Final = tracer
        self._faults: Final = faults

    def start_server_span(
        self,
        name: str,
        context: Context,
        attributes: Mapping[str, Any],
        start_time: int,
        links: tuple[Link, ...],
    ) -> Span:
        """Start the span of a request; after a fault, the span only carries the caller's ids.

        Args:
            name: until the route is known.
            context: with the span of the caller.
            attributes: for the sampler too.
            start_time: nanoseconds since the epoch.
            links: to a caller whose trace does not continue.
        """
        if self._tracer is not None:
            try:
                return self._tracer.start_span(
                    name, context, SpanKind.SERVER, attributes, links, start_time
                )
            except Exception as error:
                self._report("span start", error)
        return _copy_of(get_current_span(context))

    def start(self, name: str, parent: Span) -> Span:
        """Start a span within the process; after a fault, the span only has the parent's ids."""
        if self._tracer is not None:
            try:
                return self._tracer.start_span(name, set_span_in_context(parent, Context()))
            except Exception as error:
                self._report("span start", error)
        return _copy_of(parent)

    def end(self, span: Span, end: SpanEnd) -> None:
        """End a span."""
        try:
            _describe(span, end)
        except Exception as error:
            self._report("span end", error)
        try:
            span.end(end.time)
        except Exception as error:
            self._report("span end", error)

    def call_hook(self, hook: RequestHook, span: Span, scope: Scope) -> None:
        """Call a hook of the application with a started span."""
        try:
            hook(span, scope)
        except Exception as error:
            self._report("request hook", error)

    def _report(self, source: str, error: Exception) -> None:
        reraise_interruption(error)
        self._faults.report(source, type(error).__name__, error)


def _copy_of(span: Span) -> Span:
    """Return a span that has the ids, and cannot be ended."""
    return span if span is INVALID_SPAN else NonRecordingSpan(span.get_span_context())


def _describe(span: Span, end: SpanEnd) -> None:
    if end.name is not None:
        span.update_name(end.name)
    span.set_attributes(end.attributes)
    if end.is_error:
        span.set_status(_ERROR)
    if end.error is not None:
        span.record_exception(end.error)
