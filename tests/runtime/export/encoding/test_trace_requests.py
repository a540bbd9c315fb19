from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common import trace_encoder
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from otel_meta.runtime.export.attempts import Attempt, exporting
from otel_meta.runtime.export.encoding.trace_requests import encode_spans
from tests.runtime.export.encoding.span_strategies import SPANS

CONTEXT = SpanContext(1, 2, is_remote=False)
SHOP = Resource({"service.name": "shop"})
SURROGATE = "a\ud800b"
TOO_LONG = 1 << 63
"""An integer of 65 bits."""


def span(name: Any = "span", **options: Any) -> ReadableSpan:
    """Return an ended span."""
    defaults: dict[str, Any] = {"context": CONTEXT, "resource": SHOP}
    return ReadableSpan(name, **defaults | options)


def encoded_by_sdk(*spans: ReadableSpan) -> bytes:
    """Return the request of the SDK."""
    request = trace_encoder.encode_spans(spans)
    return bytes(request.SerializePartialToString())


def decoded(*spans: ReadableSpan) -> Any:
    """Return our request as a message."""
    return ExportTraceServiceRequest.FromString(encode_spans(spans))


def names(request: Any) -> list[list[list[str]]]:
    """Return the names of the spans of each scope of each resource."""
    return [
        [[span.name for span in scope.spans] for scope in resource.scope_spans]
        for resource in request.resource_spans
    ]


class TestRequest:
    @settings(max_examples=50)
    @given(spans=st.lists(SPANS, max_size=3))
    def test_request_equals_that_of_sdk(self, spans: list[ReadableSpan]) -> None:
        """The request for any spans has the bytes of the SDK's request."""
        assert encoded_by_sdk(*spans) == encode_spans(spans)

    def test_large_batch_equals_that_of_sdk(self) -> None:
        """The request for a full batch has the bytes of the SDK's request."""
        batch = [span(f"span {number}", attributes={"n": number}) for number in range(512)]

        assert encoded_by_sdk(*batch) == encode_spans(batch)

    def test_equal_resources_and_scopes_are_sent_once(self) -> None:
        """Spans of equal resources and scopes are in one group, in their order."""
        batch = [
            span(
                f"span {number}",
                resource=Resource({"service.name": "shop"}),
                instrumentation_scope=InstrumentationScope("web"),
            )
            for number in range(3)
        ]

        assert [[["span 0", "span 1", "span 2"]]] == names(decoded(*batch))

    def test_resource_that_is_made_at_each_access_belongs_to_its_span(self) -> None:
        """The resource of a foreign span, made at each access, is not taken for another's."""

        class Foreign(ReadableSpan):
            @property
            def resource(self) -> Resource:
                return Resource({"service.name": self.name})

        batch = [Foreign(f"service {number}", CONTEXT) for number in range(50)]

        assert encoded_by_sdk(*batch) == encode_spans(batch)


class TestUnexpectedSpan:
    def test_lone_surrogate_becomes_question_mark(self) -> None:
        """A lone surrogate in any text becomes a question mark; the SDK would lose the batch."""
        resource = Resource({"service.name": SURROGATE})
        batch = [
            span(SURROGATE, attributes={SURROGATE: SURROGATE, "list": [SURROGATE]}),
            span("other", resource=resource),
        ]
        with pytest.raises(UnicodeEncodeError):
            encoded_by_sdk(*batch)

        first, second = decoded(*batch).resource_spans
        (sent,) = first.scope_spans[0].spans

        assert "a?b" == sent.name
        assert ["a?b", "list"] == [attribute.key for attribute in sent.attributes]
        assert "a?b" == sent.attributes[0].value.string_value
        assert "a?b" == sent.attributes[1].value.array_value.values[0].string_value
        assert "a?b" == second.resource.attributes[0].value.string_value

    def test_span_that_only_the_sdk_can_encode_is_left_to_the_sdk(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A span with an integer of 65 bits is sent as the SDK does, without the integer."""
        caplog.set_level(logging.CRITICAL)
        batch = [span("first", attributes={"n": TOO_LONG, "m": 1}), span("second")]
        request = decoded(*batch)
        spans = {s.name: s for r in request.resource_spans for s in r.scope_spans[0].spans}

        assert {"first", "second"} == spans.keys()
        assert ["m"] == [attribute.key for attribute in spans["first"].attributes]

    @pytest.mark.parametrize(
        "options",
        [
            {"resource": Resource({"n": TOO_LONG})},
            {"instrumentation_scope": InstrumentationScope("web", attributes={"n": TOO_LONG})},
        ],
        ids=("resource", "scope"),
    )
    def test_group_that_only_the_sdk_can_encode_is_left_to_the_sdk(
        self, options: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A span of a resource or scope with an integer of 65 bits is sent as the SDK does."""
        caplog.set_level(logging.CRITICAL)
        odd = span("odd", **options)

        assert encoded_by_sdk(odd) == encode_spans([odd])

    @pytest.mark.parametrize(
        "broken", [span(5), span(end_time=1.5), span(context=None), span(kind="server")]
    )
    def test_span_that_cannot_be_encoded_is_left_out_alone(self, broken: ReadableSpan) -> None:
        """A span that no message can contain is left out and noted, and the others are sent."""
        attempt = Attempt("traces", items=3, at_stake=3)
        token = exporting.set(attempt)
        try:
            request = decoded(span("first"), broken, span("second"))
        finally:
            exporting.reset(token)

        assert [[["first", "second"]]] == names(request)
        assert (1, 2) == (len(attempt.unencodable), attempt.at_stake)

    @pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"key": v}], ids=("list", "map"))
    def test_deeply_nested_value_costs_no_other_span(
        self, wrap: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A value of any depth, even one that no receiver can read, costs no other span."""
        caplog.set_level(logging.CRITICAL)
        value: Any = 1
        for depth in range(60):
            deep = span("deep", attributes={"key": value})

            assert ["other"] == names(decoded(span("other"), deep))[0][0][:1]
            assert depth > 30 or encoded_by_sdk(deep) == encode_spans([deep])
            value = wrap(value)

    def test_request_without_other_spans_is_empty(self) -> None:
        """A span that is left out leaves no empty group of its resource and scope."""
        assert b"" == encode_spans([span(5)])
