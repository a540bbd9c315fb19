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
)

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.asgi import Scope

RequestHook = Callable[[Span, Scope], object]

_ERROR: Final = Status(StatusCode.ERROR)


class SpanStart(NamedTuple):
    """What is known of a span when it starts."""

    name: str
    kind: SpanKind
    attributes: Mapping[str, Any] | None = None
    time: int | None = None
    """Nanoseconds since the epoch; now by default."""
    links: tuple[Link, ...] = ()


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

    def start(self, start: SpanStart, context: Context | None = None) -> Span:
        """Start a span; after a fault, the span only carries the ids of the caller."""
        if self._tracer is not None:
            try:
                return self._tracer.start_span(
                    start.name, context, start.kind, start.attributes, start.links, start.time
                )
            except Exception as error:
                self._report("span start", error)
        caller = get_current_span(context)
        return caller if caller is INVALID_SPAN else NonRecordingSpan(caller.get_span_context())

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


def _describe(span: Span, end: SpanEnd) -> None:
    if end.name is not None:
        span.update_name(end.name)
    span.set_attributes(end.attributes)
    if end.is_error:
        span.set_status(_ERROR)
    if end.error is not None:
        span.record_exception(end.error)
