"""Span processors of the package beside its queues."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import TraceFlags

from otel_meta.runtime.recording.exemplars import SampledSpans


class SampledSpanCounter(SpanProcessor):
    """Counts live sampled spans.

    Args:
        spans: holds the number.
    """

    needs_spans: Final = False
    """It counts the spans of other processors."""

    def __init__(self, spans: SampledSpans) -> None:
        self._spans: Final = spans

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the processor's interface
        """Count a started span."""
        self._count(span, 1)

    def on_end(self, span: ReadableSpan) -> None:
        """Stop counting an ended span."""
        self._count(span, -1)

    def _count(self, span: ReadableSpan, change: int) -> None:
        context = span.context
        if context is not None and context.trace_flags & TraceFlags.SAMPLED:
            self._spans.add(change)


class AttachedProcessors(SpanProcessor):
    """Processors on the tracer provider of another library, which cannot remove a processor.

    They end with `shutdown`; a later telemetry adds its own.
    """

    def __init__(self) -> None:
        self._processors: tuple[SpanProcessor, ...] = ()

    def add_span_processor(self, processor: SpanProcessor) -> None:
        """Add a processor."""
        self._processors = (*self._processors, processor)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass a started span on."""
        for processor in self._processors:
            processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Pass an ended span on."""
        for processor in self._processors:
            processor.on_end(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush every processor."""
        results = [each.force_flush(timeout_millis) for each in self._processors]
        return all(results)

    def shutdown(self) -> None:
        """Shut the processors down, and keep none."""
        processors, self._processors = self._processors, ()
        for processor in processors:
            processor.shutdown()


def attached_processors(provider: Any) -> AttachedProcessors:
    """Return the processors of telemetry on a provider; one object for all telemetry."""
    for known, processors in _attached:
        if known is provider:
            return processors
    processors = AttachedProcessors()
    _attached.append((provider, processors))
    provider.add_span_processor(processors)
    return processors


_attached: Final[list[tuple[Any, AttachedProcessors]]] = []
"""By provider, of which a process has few; some cannot be hashed."""
