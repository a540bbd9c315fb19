from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import (
    ReadableSpan,
    Span,
    SpanLimits,
    SpanProcessor,
    TracerProvider,
)
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, Tracer

from otel_meta.runtime.export.encoding.trace_requests import encode_spans
from otel_meta.runtime.tracing.lean_provider import LeanTracerProvider
from tests.runtime.export.encoding.span_strategies import ATTRIBUTES, VALUES

RESOURCE: Final = Resource({"service.name": "shop"})
CALLER: Final = SpanContext(7, 8, is_remote=True)

Operation = Callable[[Span], object]

KEYS: Final[st.SearchStrategy[Any]] = st.sampled_from(["a", "b", "c", "", None, 1])
GIVEN: Final[st.SearchStrategy[Any]] = ATTRIBUTES | st.dictionaries(
    KEYS, VALUES | st.builds(object), max_size=4
)
TIMES: Final = st.integers(1, 1 << 40)


def operation(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """Return calls of a method of a span."""

    def call(values: tuple[Any, ...]) -> Operation:
        return lambda span: getattr(span, name)(*copy.copy(values))

    return st.tuples(*arguments).map(call)


def leave_with(error: BaseException | None) -> Operation:
    """Return the end of a ``with`` block."""
    return lambda span: span.__exit__(None if error is None else type(error), error, None)


FEW: Final = st.sampled_from(["a", "b", "c", "d"])
PLAIN: Final = st.sampled_from([1, 2.5, True, "text", "a long text", None])
ATTRIBUTE_CHANGES: Final[st.SearchStrategy[list[Operation]]] = st.lists(
    st.one_of(
        operation("set_attribute", FEW, PLAIN),
        operation("set_attributes", st.dictionaries(FEW, PLAIN, max_size=4)),
        operation("set_attribute", FEW, st.just(("a", "b"))),
    ),
    max_size=6,
)
STATUSES: Final = st.sampled_from(
    [Status(StatusCode.OK), Status(StatusCode.ERROR, "refused"), Status(StatusCode.UNSET)]
)
ERRORS: Final[st.SearchStrategy[Any]] = st.sampled_from([ValueError("no"), KeyError("key")])
OPERATIONS: Final[st.SearchStrategy[list[Operation]]] = st.lists(
    st.one_of(
        operation("set_attribute", KEYS, VALUES | st.text(min_size=9)),
        operation("set_attributes", GIVEN),
        operation("add_event", st.text(), st.none() | ATTRIBUTES, TIMES),
        operation("add_link", st.just(CALLER), st.none() | ATTRIBUTES),
        operation("set_status", STATUSES),
        operation("set_status", st.sampled_from(StatusCode), st.none() | st.text()),
        operation("record_exception", ERRORS, st.none() | ATTRIBUTES, TIMES),
        operation("update_name", st.text()),
        operation("end", TIMES),
        ERRORS.map(leave_with) | st.just(leave_with(None)),
    ),
    max_size=8,
)
LIMITS: Final = st.builds(
    SpanLimits,
    max_span_attributes=st.integers(0, 5) | st.just(SpanLimits.UNSET),
    max_events=st.integers(0, 2),
    max_links=st.integers(0, 2),
    max_event_attributes=st.integers(0, 2),
    max_span_attribute_length=st.integers(0, 9) | st.just(SpanLimits.UNSET),
    max_attribute_length=st.integers(0, 9),
)


class Ids(IdGenerator):
    """The same ids in each of two providers."""

    def __init__(self) -> None:
        self._random = Random(1)

    def generate_span_id(self) -> int:
        """Return the next id of a span."""
        return self._random.getrandbits(64)

    def generate_trace_id(self) -> int:
        """Return the next id of a trace."""
        return self._random.getrandbits(128)


class Ended(SpanProcessor):
    """Keeps the spans that have ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)


def lean(limits: SpanLimits | None = None) -> tuple[Tracer, Ended]:
    """Return a tracer of ours, and its ended spans."""
    return traced(LeanTracerProvider(ALWAYS_ON, RESOURCE, limits or SpanLimits(), Ids()))


def sdk(limits: SpanLimits) -> tuple[Tracer, Ended]:
    """Return a tracer of the SDK, and its ended spans."""
    provider = TracerProvider(
        ALWAYS_ON, RESOURCE, shutdown_on_exit=False, span_limits=limits, id_generator=Ids()
    )
    return traced(provider)


def traced(provider: TracerProvider) -> tuple[Tracer, Ended]:
    """Return a tracer of a provider, and its ended spans."""
    ended = Ended()
    provider.add_span_processor(ended)
    return provider.get_tracer("shop", "1"), ended


def run(
    tracer: Tracer, attributes: Any, links: list[Any], operations: list[Operation]
) -> tuple[Any, list[str]]:
    """Return a span after operations, and the errors that they raised."""
    errors: list[str] = []
    span: Any = tracer.start_span("start", None, SpanKind.CLIENT, attributes, links, 1)
    for each in operations:
        try:
            each(span)
        except (TypeError, ValueError, AttributeError) as error:
            errors.append(type(error).__name__)
    return span, errors


def facts(span: Any) -> dict[str, Any]:
    """Return what a span says of itself."""
    names = ("name", "kind", "parent", "context", "start_time", "resource")
    found: dict[str, Any] = {name: getattr(span, name) for name in names}
    return found | {
        "attributes": list(span.attributes.items()),
        "events": [(each.name, dict(each.attributes)) for each in span.events],
        "links": [(each.context, dict(each.attributes)) for each in span.links],
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "status": (span.status.status_code, span.status.description),
        "is_recording": span.is_recording(),
        "scope": (span.instrumentation_scope, span._instrumentation_info),
    }


def of_both(
    limits: SpanLimits, attributes: Any, links: list[Any], operations: list[Operation]
) -> list[Any]:
    """Return what the SDK and what otel_meta make of the same operations."""
    results: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for module in ("opentelemetry.sdk.trace", "otel_meta.runtime.tracing.lean_spans"):
            patch.setattr(f"{module}.time_ns", lambda: 1 << 40)
        for tracer, ended in (sdk(limits), lean(limits)):
            given_links = [Link(CALLER, each) for each in links]
            span, errors = run(tracer, attributes, given_links, operations)
            before = repr(facts(span))
            span.end(1 << 41)
            sent = encode_spans(ended.spans)
            results.append((before, errors, repr(facts(span)), sent, len(ended.spans)))

    return results


class TestEqualsSpanOfSdk:
    @settings(max_examples=60, deadline=None)
    @given(
        limits=LIMITS,
        attributes=st.none() | GIVEN,
        links=st.lists(ATTRIBUTES, max_size=3),
        operations=OPERATIONS,
    )
    def test_any_operations_have_same_result(
        self,
        limits: SpanLimits,
        attributes: Any,
        links: list[Mapping[str, Any]],
        operations: list[Operation],
    ) -> None:
        """After the same operations, a span and its encoding equal those of the SDK."""
        of_sdk, ours = of_both(limits, attributes, links, operations)

        assert of_sdk == ours

    @settings(max_examples=80, deadline=None)
    @given(
        most=st.integers(0, 8),
        attributes=st.dictionaries(FEW, PLAIN, max_size=4),
        changes=ATTRIBUTE_CHANGES,
    )
    def test_attributes_have_same_order_and_limits(
        self, most: int, attributes: Any, changes: list[Operation]
    ) -> None:
        """Attributes that are set again, or above a limit, end as in the SDK."""
        limits = SpanLimits(max_span_attributes=most, max_span_attribute_length=5)
        of_sdk, ours = of_both(limits, attributes, [], changes)

        assert of_sdk == ours

    def test_json_equals_that_of_sdk(self) -> None:
        """The JSON text of a span with events and links equals that of the SDK."""
        texts: list[str] = []
        for tracer, ended in (sdk(SpanLimits()), lean()):
            span = tracer.start_span("a", links=[Link(CALLER, {"n": 1})], start_time=1)
            span.add_event("paid", {"total": 2.5}, 2)
            span.end(3)
            texts.append(ended.spans[0].to_json())

        assert texts[0] == texts[1]


class TestEnd:
    def test_ended_span_stays_as_it_is(self) -> None:
        """What is set after the end changes nothing, and is logged as by the SDK."""
        tracer, ended = lean()
        span: Any = tracer.start_span("a", attributes={"n": 1})
        assert {"n": 1} == span.attributes  # makes the SDK's mapping
        span.end()
        span.set_attribute("n", 2)
        span.set_attributes({"n": 3})
        span.update_name("b")
        span.end()

        (sent,) = ended.spans
        assert ("a", {"n": 1}) == (sent.name, sent.attributes)
        with pytest.raises(TypeError):
            span._attributes["n"] = 4

    def test_span_can_be_copied(self) -> None:
        """A deep copy of an ended span has its values, and shares none of them."""
        tracer, ended = lean()
        tracer.start_span("a", attributes={"n": [1, 2]}).end()
        copied = copy.deepcopy(ended.spans[0])

        assert {"n": (1, 2)} == copied.attributes

    def test_processor_may_replace_attributes(self) -> None:
        """A processor that replaces the attributes of an ended span changes what is sent."""
        tracer, ended = lean()
        tracer.start_span("a", attributes={"n": 1}).end()
        span: Any = ended.spans[0]
        span._attributes = {"n": 2}

        assert {"n": 2} == span.attributes

    def test_threads_lose_no_attribute(self) -> None:
        """Attributes of several threads are all kept, and none is added after the end."""
        tracer, _ = lean(SpanLimits(max_span_attributes=SpanLimits.UNSET))
        span: Any = tracer.start_span("a")

        def work(name: str) -> None:
            for number in range(500):
                span.set_attribute(f"{name}{number}", number)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, "abcd"))

        assert 2_000 == len(span.attributes)
