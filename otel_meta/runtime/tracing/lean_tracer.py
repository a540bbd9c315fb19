"""Tracers of the SDK that decide first, and make spans at a low cost.

A span that is not recorded is one small object with the ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from random import getrandbits
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer
from opentelemetry.sdk.trace._tracer_metrics import NoOpTracerMetrics
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
    get_current_span,
)

from .head_sampling import Decide, known_decision
from .lean_spans import SpanOrigin, new_span
from .processor_list import ProcessorList

_RANDOM: Final = TraceFlags.RANDOM_TRACE_ID
_FLAGS: Final = tuple(map(TraceFlags, range(4)))
"""The flags by their number."""
_DECISIONS: Final = {True: Decision.RECORD_AND_SAMPLE, False: Decision.DROP}
_NO_ATTRIBUTES: Final[Mapping[str, Any]] = {}

_Sampled = tuple[Decision, Mapping[str, Any] | None, TraceState | None]
"""A decision, the attributes of the span, and the state of the trace."""


class LeanTracer(Tracer):
    """A tracer of `LeanSpan`.

    Args:
        tracer: of the SDK, which this tracer takes the place of.
    """

    span_processor: ProcessorList

    def __init__(self, tracer: Tracer) -> None:
        vars(self).update(vars(tracer))  # its constructor would make the SDK's metrics again
        self._has_random_ids: Final = type(self.id_generator) is RandomIdGenerator
        self._has_metrics: Final = type(self._tracer_metrics) is not NoOpTracerMetrics
        self._renew()

    def start_span(  # noqa: PLR0917 - the API's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """Start a span; arguments as in the API."""
        current = get_current_span(context)
        caller = current.get_span_context()
        if not self._tracer_config.is_enabled:
            return NonRecordingSpan(caller)
        parent = _valid(caller)
        trace_id = self._new_trace_id() if parent is None else parent.trace_id
        if self._origin.sampler is not self.sampler or self._origin.resource is not self.resource:
            self._renew()
        decision, attributes, state = (
            self._sample(context, trace_id, name, kind, attributes, links or ())
            if self._decide is None
            else (
                _DECISIONS[self._decide(parent, trace_id)],
                attributes,
                None if parent is None else parent.trace_state,
            )
        )
        own = self._new_context(parent, trace_id, decision, state)
        record_end = (
            self._tracer_metrics.start_span(parent, decision) if self._has_metrics else None
        )
        processors, undecided = self.span_processor, None
        if decision is Decision.DROP and processors.tail is not None:
            is_root = parent is None or parent.is_remote
            undecided = processors.tail.trace_of(current, own.span_id, is_root=is_root)
        if (decision is Decision.DROP and undecided is None) or not processors.needs_spans:
            return NonRecordingSpan(own)
        span = new_span()
        span.prepare(
            self._origin,
            name,
            own,
            parent,
            kind,
            attributes,
            links or (),
            (record_exception, set_status_on_exception),
            record_end,
            undecided,
        )
        span.start(start_time, context)
        return span

    def _renew(self) -> None:
        """Prepare for the sampler and the resource, which can be replaced."""
        limits, sampler = self._span_limits, self.sampler
        self._decide: Decide | None = known_decision(sampler)
        self._origin: SpanOrigin = SpanOrigin(
            sampler,
            self.resource,
            self.span_processor,
            limits,
            self._instrumentation_scope,
            self.instrumentation_info,
            inf if limits.max_span_attributes is None else limits.max_span_attributes,
            inf if limits.max_span_attribute_length is None else limits.max_span_attribute_length,
        )

    def _sample(  # noqa: PLR0917 - the sampler's
        self,
        context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[Link],
    ) -> _Sampled:
        """Return what a sampler of a library decides."""
        result: Any = self.sampler.should_sample(context, trace_id, name, kind, attributes, links)
        return result.decision, result.attributes, result.trace_state

    def _new_trace_id(self) -> int:
        if self._has_random_ids:
            return getrandbits(128) or self.id_generator.generate_trace_id()
        return self.id_generator.generate_trace_id()

    def _new_context(
        self,
        parent: SpanContext | None,
        trace_id: int,
        decision: Decision,
        state: TraceState | None,
    ) -> SpanContext:
        """Return the context of a span; ids of the standard generator need no check."""
        if parent is not None:
            is_random = parent.trace_flags & _RANDOM
        else:
            is_random = _RANDOM if self.id_generator.is_trace_id_random() else 0
        flags = _FLAGS[is_random | (decision is Decision.RECORD_AND_SAMPLE)]
        if self._has_random_ids:
            span_id = getrandbits(64) or self.id_generator.generate_span_id()
            items = (trace_id, span_id, False, flags, state or DEFAULT_TRACE_STATE, True)
            return tuple.__new__(SpanContext, items)
        return SpanContext(trace_id, self.id_generator.generate_span_id(), False, flags, state)


def _valid(caller: Any) -> SpanContext | None:
    """Return the context of a parent; None without a parent."""
    if caller is None or isinstance(caller, SpanContext):
        return caller if caller is not None and caller.is_valid else None
    raise TypeError("parent_span_context must be a SpanContext or None.")
