from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    AlwaysRecordSampler,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_meta.runtime.tracing.head_sampling import known_decision
from otel_meta.runtime.tracing.lean_provider import LeanTracerProvider
from otel_meta.runtime.tracing.lean_spans import LeanSpan

HALF: Final = TraceIdRatioBased(0.5)
SAMPLERS: Final[Sequence[Sampler]] = (
    ALWAYS_ON,
    ALWAYS_OFF,
    HALF,
    ParentBased(HALF),
    ParentBasedTraceIdRatio(0.25),
    ParentBased(ALWAYS_OFF, local_parent_sampled=ALWAYS_OFF, remote_parent_not_sampled=HALF),
)


def caller_with(flags: int, *, is_remote: bool) -> SpanContext:
    """Return the context of a caller."""
    state = TraceState([("vendor", "value")])
    return SpanContext(1 << 90 | 5, 9, is_remote, TraceFlags(flags), state)


CALLERS: Final = st.builds(caller_with, st.integers(0, 3), is_remote=st.booleans())


class Named(Sampler):
    """A sampler of a library, which decides by the name."""

    def should_sample(
        self, parent_context: Any, trace_id: int, name: str, *_: Any, **__: Any
    ) -> SamplingResult:
        """Sample spans named paid."""
        decision = Decision.RECORD_AND_SAMPLE if name == "paid" else Decision.DROP
        return SamplingResult(decision, {"by": "name"}, TraceState([("by", "name")]))

    def get_description(self) -> str:
        """Return a name."""
        return "named"


def provider(sampler: Sampler = ALWAYS_ON) -> LeanTracerProvider:
    """Return a provider with a processor that needs spans."""
    made = LeanTracerProvider(sampler, Resource.get_empty(), SpanLimits(), RandomIdGenerator())
    made.add_span_processor(SpanProcessor())
    return made


def of(caller: SpanContext) -> Context:
    """Return a context with a caller."""
    return set_span_in_context(NonRecordingSpan(caller), Context())


class TestSampling:
    @given(
        sampler=st.sampled_from(SAMPLERS),
        caller=st.none() | CALLERS,
        trace_id=st.integers(1, (1 << 128) - 1),
    )
    def test_known_decision_is_that_of_sampler(
        self, sampler: Sampler, caller: SpanContext | None, trace_id: int
    ) -> None:
        """A standard sampler decides the same by parent and trace id alone."""
        context = Context() if caller is None else of(caller)
        expected = sampler.should_sample(context, trace_id, "name").decision
        decide = known_decision(sampler)

        assert decide is not None
        assert (expected is Decision.RECORD_AND_SAMPLE) == decide(caller, trace_id)

    @pytest.mark.parametrize("sampler", [Named(), AlwaysRecordSampler(HALF), ParentBased(Named())])
    def test_other_sampler_is_asked(self, sampler: Sampler) -> None:
        """The decision of another sampler is not guessed."""
        assert known_decision(sampler) is None

    def test_other_sampler_sets_attributes_and_state(self) -> None:
        """Attributes and trace state of another sampler are those of the span."""
        span: Any = provider(Named()).get_tracer("shop").start_span("paid", attributes={"n": 1})

        assert {"by": "name"} == span.attributes
        assert "name" == span.get_span_context().trace_state["by"]

    def test_sampler_can_be_replaced(self) -> None:
        """A sampler that replaces the one of a tracer decides from then on."""
        tracer: Any = provider().get_tracer("shop")
        tracer.sampler = ALWAYS_OFF

        assert not tracer.start_span("a").is_recording()

    @given(caller=CALLERS, sampler=st.sampled_from(SAMPLERS))
    def test_context_is_that_of_sdk(self, caller: SpanContext, sampler: Sampler) -> None:
        """A child has the trace, the flags and the state that the SDK gives it."""
        sdk = TracerProvider(sampler, shutdown_on_exit=False).get_tracer("shop")
        ours = provider(sampler).get_tracer("shop")
        expected, actual = (
            each.start_span("a", of(caller)).get_span_context() for each in (sdk, ours)
        )

        assert _without_id(expected) == _without_id(actual)


class TestProvider:
    def test_is_one_of_sdk(self) -> None:
        """Libraries find a provider, tracers and spans of the SDK."""
        made = provider()
        span = made.get_tracer("shop").start_span("a")

        assert isinstance(made, TracerProvider)
        assert isinstance(span, Span)
        assert isinstance(span, LeanSpan)

    def test_equal_scopes_have_one_tracer(self) -> None:
        """A scope has one tracer."""
        made = provider()

        assert made.get_tracer("shop", "1") is made.get_tracer("shop", "1")

    def test_records_nothing_until_a_processor_needs_spans(self) -> None:
        """Without a processor, a span has ids and flags alone."""
        made = LeanTracerProvider(
            ALWAYS_ON, Resource.get_empty(), SpanLimits(), RandomIdGenerator()
        )
        tracer = made.get_tracer("shop")
        before = tracer.start_span("a")
        made.add_span_processor(SpanProcessor())

        assert not before.is_recording()
        assert before.get_span_context().trace_flags.sampled
        assert tracer.start_span("a").is_recording()


def _without_id(context: SpanContext) -> tuple[Any, ...]:
    return (*context[:1], *context[2:4], dict(context.trace_state), context.is_valid)
