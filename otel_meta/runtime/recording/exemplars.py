"""Measurements that stand for their series: each with the trace in which it was made.

Prometheus and OpenTelemetry show them beside a series, one click away from the trace. One is taken
for each counter and each bucket between two collections, where a sampled span is current.
"""

from __future__ import annotations

import time
from threading import RLock
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import get_current_span


class Exemplar(NamedTuple):
    """A value as recorded, when, and in which sampled span."""

    value: float
    time_ns: int
    """Since the epoch."""
    trace_id: int
    span_id: int


class SampledSpans(SpanProcessor):
    """Knows how many sampled spans are live, so that with none a recording need not look for one.

    A span that is never ended keeps the looking on, which costs time and nothing else.
    """

    def __init__(self) -> None:
        self.live = 0
        self._collected_ns = 0
        self._lock = RLock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the processor's interface
        """Count a span in."""
        self._count(span, 1)

    def on_end(self, span: ReadableSpan) -> None:
        """Count a span out."""
        self._count(span, -1)

    def collected(self) -> None:
        """Begin to take new exemplars: those taken so far have been read."""
        self._collected_ns = time.time_ns()

    def wants(self, latest: Exemplar | None) -> bool:
        """Whether the time has come to replace the latest exemplar."""
        return latest is None or latest.time_ns <= self._collected_ns

    def exemplar(self, value: float) -> Exemplar | None:
        """A value with the span that is current; None where that is not sampled."""
        span = get_current_span()
        if not span.is_recording():  # asked first, for where no span is current it is the cheapest
            return None
        context = span.get_span_context()
        if not context.trace_flags.sampled:
            return None
        return Exemplar(float(value), time.time_ns(), context.trace_id, context.span_id)

    def after_fork(self) -> None:
        """Go on in a forked child: what is live here may end here."""
        self._lock = RLock()

    def _count(self, span: ReadableSpan, change: int) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            with self._lock:
                self.live += change


NO_SPANS = SampledSpans()
"""For series without exemplars: nothing is ever live."""
