from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_meta.runtime.logs.processors import add_trace_ids, json_renderer, structured_exceptions


class Hostile:
    """An object whose text raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Kelvin(float):
    """A subclass of float, like numpy's float64."""


def cycle() -> list[Any]:
    """Return a list that contains itself."""
    around: list[Any] = []
    around.append(around)
    return around


def deep() -> list[Any]:
    """Return lists nested too deep for any encoder."""
    inside: list[Any] = []
    for _ in range(100_000):
        inside = [inside]
    return inside


ODD = [
    "\ud800",
    "a\udfffb",
    2**63,
    -(2**200),
    10**5000,
    float("nan"),
    float("inf"),
    Kelvin(1.5),
    Hostile(),
    cycle(),
    {1, 2},
    b"\xff",
    Decimal("1.5"),
    datetime(2026, 1, 1, tzinfo=UTC),
    1j,
    object(),
    {Hostile(): 1},
    {(1, 2): "tuple"},
    {"deep": [{"\ud800": 1}]},
    ValueError("\ud800"),
    None,
    True,
]
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
keys = st.text() | st.sampled_from(["\ud800", "event", "level", 7, None, (1,)])


def rendered(event: dict[Any, Any], faults: list[str] | None = None) -> dict[str, Any]:
    """Render an event, and parse the line."""
    reasons = [] if faults is None else faults
    line = json_renderer(lambda reason, _error: reasons.append(reason))(None, "info", event)
    assert b"\n" not in line
    read: dict[str, Any] = json.loads(line)
    return read


class TestRender:
    @given(st.dictionaries(st.text(), plain))
    def test_plain_values_are_rendered_unchanged(self, event: dict[str, Any]) -> None:
        """Plain values are rendered unchanged."""
        assert event == rendered(dict(event))

    def test_timestamp_level_event_and_logger_come_first(self) -> None:
        """Timestamp, level, event and logger come first."""
        event = {"a": 1, "logger": "l", "event": "e", "level": "info", "timestamp": "t"}

        assert ["timestamp", "level", "event", "logger", "a"] == list(rendered(event))

    @given(st.dictionaries(keys, plain | st.sampled_from(ODD), max_size=6))
    def test_any_event_is_rendered_as_one_line_of_json(self, event: dict[Any, Any]) -> None:
        """Any event is rendered as one line of JSON."""
        rendered(dict(event))

    @pytest.mark.parametrize("odd", ODD, ids=lambda o: type(o).__name__)
    def test_value_that_json_cannot_hold_does_not_change_other_fields(self, odd: Any) -> None:
        """A value that JSON cannot hold does not change other fields."""
        line = rendered({"event": "hello", "good": 1, "share": 0.5, "yes": True, "odd": odd})

        assert ("hello", 1, 0.5, True) == (
            line["event"],
            line["good"],
            line["share"],
            bool(line["yes"]),
        )

    @pytest.mark.parametrize("odd", ODD, ids=lambda o: type(o).__name__)
    def test_two_values_that_json_cannot_hold_are_rendered(self, odd: Any) -> None:
        """Two values that JSON cannot hold are rendered."""
        assert {"event", "odd", "other"} == set(
            rendered({"event": "e", "odd": odd, "other": "\ud800"})
        )

    def test_value_nested_too_deep_is_replaced_by_short_text(self) -> None:
        """A value nested too deep is replaced by a short text."""
        assert "hello" == rendered({"event": "hello", "deep": deep()})["event"]

    def test_subclass_of_float_is_rendered_as_number(self) -> None:
        """A subclass of float is rendered as a number."""
        assert 1.5 == rendered({"temperature": Kelvin(1.5)})["temperature"]

    def test_value_whose_text_raises_is_rendered_as_its_class(self) -> None:
        """A value whose text raises is rendered as its class and error."""
        assert "<Hostile: RuntimeError>" == rendered({"odd": Hostile()})["odd"]

    def test_line_that_needs_fallback_is_reported_as_fault(self) -> None:
        """A line that needs the fallback is reported as a fault."""
        faults: list[str] = []
        rendered({"odd": "\ud800"}, faults)

        assert ["render"] == faults

    def test_lone_surrogate_is_replaced_by_question_mark(self) -> None:
        """A lone surrogate is replaced by a question mark."""
        assert "a?b" == rendered({"odd": "a\udfffb"})["odd"]


class TestTraceIds:
    @pytest.mark.parametrize(("flags", "text"), [(0, "00"), (1, "01"), (3, "03")])
    def test_ids_of_current_span_are_added_in_w3c_format_sampled(
        self, flags: int, text: str
    ) -> None:
        """The ids of the current span are added in W3C format, sampled or not."""
        context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(flags))
        with trace.use_span(NonRecordingSpan(context)):
            event = dict(add_trace_ids(None, "info", {}))

        assert {
            "trace_id": "00000000000000000000000000000abc",
            "span_id": "0000000000000def",
            "trace_flags": text,
        } == event

    def test_without_span_no_ids_are_added(self) -> None:
        """Without a span no ids are added."""
        assert {} == add_trace_ids(None, "info", {})


class TestExceptions:
    def test_exception_is_rendered_as_frames_message_and_class(self) -> None:
        """An exception is rendered as frames, message and class."""
        (trace_,) = _failed(lambda: int("x"))

        assert "ValueError" == trace_["exc_type"]
        assert "invalid literal for int() with base 10: 'x'" == trace_["exc_value"]
        assert "_failed" == trace_["frames"][0]["name"]

    def test_values_of_local_variables_are_not_rendered(self) -> None:
        """Values of local variables are not rendered."""

        def log_in() -> None:
            password = "hunter2"  # noqa: F841  # must not be rendered
            raise ValueError("refused")

        assert "hunter2" not in json.dumps(_failed(log_in))

    def test_cause_of_exception_is_rendered(self) -> None:
        """The cause of an exception is rendered."""

        def fail() -> None:
            try:
                int("x")
            except ValueError as error:
                raise KeyError("y") from error

        assert ["KeyError", "ValueError"] == [each["exc_type"] for each in _failed(fail)]

    @pytest.mark.parametrize("exc_info", [True, False, None, (None, None, None), "text", 1])
    def test_without_exception_no_field_is_added(self, exc_info: Any) -> None:
        """Without an exception no field is added."""
        event = structured_exceptions()(None, "info", {"event": "e", "exc_info": exc_info})

        assert {"event": "e"} == event


def _failed(do: Callable[[], object]) -> list[dict[str, Any]]:
    """Call a function that fails, and render its exception."""
    try:
        do()
    except Exception as error:  # noqa: BLE001  # any error is rendered
        event: Any = structured_exceptions()(None, "error", {"exc_info": error})
        traces: list[dict[str, Any]] = event["exception"]
        return traces
    raise AssertionError("it did not fail")
