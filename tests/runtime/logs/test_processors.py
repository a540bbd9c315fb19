from __future__ import annotations

from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from otel_meta.runtime.logs.bound_logger import LineLogger
from otel_meta.runtime.logs.exceptions import attach_ids
from otel_meta.runtime.logs.processors import LineFields, current_ids, merge_context, span_ids

SPAN = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))


def line(identity: dict[str, str] | None = None, **event: Any) -> dict[str, Any]:
    """Return the fields of a line."""
    return dict(LineFields(identity or {})(LineLogger("shop"), "info", event))


class TestLineFields:
    def test_timestamp_level_event_and_logger_come_first(self) -> None:
        """Timestamp, level, event and logger come first, then fields, identity and ids."""
        with trace.use_span(NonRecordingSpan(SPAN)):
            keys = list(line({"service_name": "api"}, a=1, event="said"))

        assert ["timestamp", "level", "event", "logger", "a", "service_name", "trace_id"] == keys[
            :7
        ]

    @pytest.mark.parametrize(
        "name",
        ["timestamp", "level", "logger", "service_name", "trace_id", "span_id", "trace_flags"],
    )
    def test_field_with_name_of_telemetry_is_kept(self, name: str) -> None:
        """A field of the application with a name of telemetry is kept under another name."""
        with trace.use_span(NonRecordingSpan(SPAN)):
            fields = line({"service_name": "api"}, event="said", **{name: "given"})

        assert "given" == fields[f"{name}_"]
        assert "given" != fields[name]

    def test_trace_id_of_application_keeps_its_name_without_span(self) -> None:
        """A trace id of the application keeps its name if there is no span."""
        assert "given" == line(event="said", trace_id="given")["trace_id"]

    def test_fields_of_exception_do_not_replace_those_of_application(self) -> None:
        """Fields of an exception do not replace those of the application."""
        fields = line(event="said", exception_type="given", exc_info=ValueError("x"))

        assert ("ValueError", "given") == (fields["exception_type"], fields["exception_type_"])

    @pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
    def test_event_has_no_end_of_line(self, ending: str) -> None:
        """An event has no end of line, which servers and warnings add."""
        assert "said" == line(event=f"said{ending}")["event"]

    @pytest.mark.parametrize(("event", "text"), [(7, "7"), (None, "None"), ({"a": 1}, "{'a': 1}")])
    def test_event_is_text(self, event: Any, text: str) -> None:
        """An event is a text, whatever the application logs."""
        assert text == line(event=event)["event"]

    def test_event_is_kept_beside_any_number_of_fields(self) -> None:
        """An event is kept beside any number of fields."""
        fields: dict[str, Any] = {f"field{number}": number for number in range(1000)}

        assert "said" == line(**fields, event="said")["event"]

    def test_exception_has_fields_of_conventions(self) -> None:
        """An exception has the fields of OpenTelemetry's conventions."""
        fields = line(event="said", exc_info=ValueError("x"))

        assert ("ValueError", "x", "ValueError: x") == (
            fields["exception_type"],
            fields["exception_message"],
            fields["exception_stacktrace"],
        )

    @pytest.mark.parametrize("exc_info", [True, False, None, (None, None, None), "text", 1])
    def test_without_exception_no_field_is_added(self, exc_info: Any) -> None:
        """Without an exception no field is added."""
        assert {"timestamp", "level", "event", "logger"} == set(
            line(event="said", exc_info=exc_info)
        )

    def test_ids_attached_to_exception_are_added_after_those_of_context(self) -> None:
        """Ids attached to an exception are added; those of the context take precedence."""
        error = ValueError("x")
        attach_ids(error, {"request_id": "attached", "trace_id": "attached"})

        assert "attached" == line(event="said", exc_info=error)["trace_id"]
        with trace.use_span(NonRecordingSpan(SPAN)):
            fields = line(event="said", exc_info=error, request_id="bound")
        assert ("bound", f"{0xABC:032x}") == (fields["request_id"], fields["trace_id"])

    def test_ids_are_attached_to_exception_of_any_class(self) -> None:
        """Ids are attached to an exception of any class."""

        class Closed(Exception):
            __dict__ = property(lambda _self: 1 / 0)

        error = Closed()
        attach_ids(error, {"request_id": "attached"})

        assert "attached" == line(event="said", exc_info=error)["request_id"]


class TestContext:
    def test_fields_of_line_take_precedence_over_context(self) -> None:
        """Fields of a line take precedence over variables bound to the context."""
        with structlog.contextvars.bound_contextvars(order="7", item="a", event="bound"):
            event = merge_context(None, "info", {"event": "said", "item": "b"})

        assert {"event": "said", "order": "7", "item": "b", "event_": "bound"} == event


class TestTraceIds:
    @pytest.mark.parametrize(("flags", "text"), [(0, "00"), (1, "01"), (3, "03")])
    def test_ids_of_current_span_are_added_in_w3c_format_sampled(
        self, flags: int, text: str
    ) -> None:
        """The ids of the current span are in W3C format, sampled or not."""
        context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(flags))
        with trace.use_span(NonRecordingSpan(context)):
            ids = current_ids()

        assert {
            "trace_id": "00000000000000000000000000000abc",
            "span_id": "0000000000000def",
            "trace_flags": text,
        } == ids

    def test_ids_are_those_of_span_of_line(self) -> None:
        """A line has the ids of its own span, although lines of other spans come between."""
        spans = [SpanContext(7, number, is_remote=False) for number in (1, 2, 1)]

        assert [f"{span.span_id:016x}" for span in spans] == [
            current_ids(set_span_in_context(NonRecordingSpan(span)))["span_id"] for span in spans
        ]

    def test_invalid_span_has_no_ids(self) -> None:
        """A span whose trace id or own id is zero has no ids."""
        spans = [SpanContext(0, 7, is_remote=False), SpanContext(7, 0, is_remote=False)]

        assert [{}, {}] == [span_ids(span) for span in spans]

    def test_without_span_there_are_no_ids(self) -> None:
        """Without a span there are no ids."""
        assert {} == current_ids()
