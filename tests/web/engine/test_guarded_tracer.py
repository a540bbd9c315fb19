from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import INVALID_SPAN

from otel_meta.web.engine.guarded_tracer import GuardedTracer, SpanEnd
from tests.web.engine.direct_calls import DirectCalls, answer

TRACE = "0123456789abcdef0123456789abcdef"
CALLER = [(b"traceparent", f"00-{TRACE}-0123456789abcdef-01".encode())]


class FailingProcessor(SpanProcessor):
    """A processor that fails in one method."""

    def __init__(self, method: str) -> None:
        setattr(self, method, self._fail)

    def _fail(self, *_: Any, **__: Any) -> None:
        raise RuntimeError


class FailingSampler(Sampler):
    """A sampler that fails."""

    def should_sample(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise RuntimeError

    def get_description(self) -> str:
        """Return a name."""
        return ""


def provider(direct: DirectCalls) -> Any:
    """Return the tracer provider."""
    assert direct.captured.telemetry.traces is not None
    return direct.captured.telemetry.traces.provider


class TestFaults:
    @pytest.mark.parametrize(
        ("method", "source"), [("on_start", "span start"), ("on_end", "span end")]
    )
    def test_failing_processor_is_counted_by_its_moment(
        self, direct: DirectCalls, method: str, source: str
    ) -> None:
        """A failing processor leaves the response as it is, and is counted by its moment."""
        provider(direct).add_span_processor(FailingProcessor(method))
        direct.run(answer)

        assert (["ok"], {(source, "RuntimeError")}) == (direct.outcomes(), direct.faults())

    def test_trace_of_caller_passes_through_failing_sampler(self, direct: DirectCalls) -> None:
        """The trace of the caller passes through a sampler that fails."""
        provider(direct).sampler = FailingSampler()
        direct.run(answer, headers=CALLER)

        assert TRACE.encode() in direct.headers[b"server-timing"]
        assert {("span start", "RuntimeError")} == direct.faults()

    def test_failing_hook_is_counted(self, direct: DirectCalls) -> None:
        """A failing hook leaves the response as it is, and is counted."""

        def hook(*_: Any) -> None:
            raise RuntimeError

        direct.with_options(request_hook=hook)
        direct.run(answer)

        assert (["ok"], {("request hook", "RuntimeError")}) == (direct.outcomes(), direct.faults())

    def test_span_ends_though_it_cannot_be_described(self, direct: DirectCalls) -> None:
        """A span ends though its attributes cannot be set."""
        tracer = GuardedTracer(provider(direct).get_tracer("a"), direct.captured.telemetry.faults)
        attributes: Any = 7
        tracer.end(tracer.start("a", INVALID_SPAN), SpanEnd(attributes=attributes))

        assert "a" == direct.span.name
        assert ["span end"] == [source for source, _ in direct.faults()]


class TestWithoutSpans:
    def test_missing_tracer_keeps_ids_of_caller(self, direct: DirectCalls) -> None:
        """Without a tracer, a span has the ids of its parent, and none without a parent."""
        faults = direct.captured.telemetry.faults
        parent = provider(direct).get_tracer("a").start_span("a")
        tracer = GuardedTracer(None, faults)
        child = tracer.start("b", parent)
        root = tracer.start_server_span("GET", Context(), {}, 0, ())

        assert parent.get_span_context() == child.get_span_context()
        assert (False, False) == (child.is_recording(), root.get_span_context().is_valid)
