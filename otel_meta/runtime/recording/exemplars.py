"""Exemplars: single measurements, each with the trace of its recording.

Prometheus and OpenTelemetry show exemplars beside a series, with a link to the trace. Between two
collections, each counter and each bucket takes one exemplar if a sampled span is current.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from opentelemetry.trace import get_current_span

from .atomic import atomic
from .native.native_core import state


class Exemplar(NamedTuple):
    """A recorded value with a time and a sampled span."""

    value: float
    time_ns: int
    """Nanoseconds since the epoch."""
    trace_id: int
    span_id: int


@state
class SpanCount:
    """The number of live sampled spans."""

    __slots__ = ("live",)


class SampledSpans(SpanCount):
    """The number of live sampled spans; recordings look up the current span if there is one.

    A span without an end keeps the count above zero: recordings become slower, but stay correct.
    In a forked child, spans of the parent stay counted: the child may end them.
    """

    def __init__(self) -> None:
        self.live = 0
        self._collected_ns = 0

    @atomic
    def add(self, change: int) -> None:
        """Change the number of live sampled spans."""
        self.live += change

    def begin_collection(self) -> None:
        """Make all exemplars so far due for replacement."""
        self._collected_ns = time.time_ns()

    def is_due(self, latest: Exemplar | None) -> bool:
        """Return True if the latest exemplar is older than the latest collection, or is None."""
        return latest is None or latest.time_ns <= self._collected_ns

    def exemplar(self, value: float) -> Exemplar | None:
        """Return a value with the current span; None if no sampled span is current."""
        span = get_current_span()
        if not span.is_recording():  # the cheapest check comes first
            return None
        context = span.get_span_context()
        if not context.trace_flags.sampled:
            return None
        return Exemplar(float(value), time.time_ns(), context.trace_id, context.span_id)


NO_SPANS = SampledSpans()
"""For series without exemplars: no span is ever live."""
