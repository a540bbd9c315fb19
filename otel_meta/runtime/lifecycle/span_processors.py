"""Span processors of the package beside its queues."""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_meta.runtime.recording.exemplars import SampledSpans


class SampledSpanCounter(SpanProcessor):
    """Counts live sampled spans.

    Args:
        spans: holds the number.
    """

    def __init__(self, spans: SampledSpans) -> None:
        self._spans: Final = spans

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the processor's interface
        """Count a started span."""
        self._count(span, 1)

    def on_end(self, span: ReadableSpan) -> None:
        """Stop counting an ended span."""
        self._count(span, -1)

    def _count(self, span: ReadableSpan, change: int) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            self._spans.add(change)
