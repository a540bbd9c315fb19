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
    """Something that cannot be written."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Kelvin(float):
    """A float of another class, as numpy's float64 is."""


def cycle() -> list[Any]:
    """A list that holds itself."""
    around: list[Any] = []
    around.append(around)
    return around


def deep() -> list[Any]:
    """A list in a list in a list, too deep for anybody."""
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
    """A line, read back."""
    reasons = [] if faults is None else faults
    line = json_renderer(lambda reason, _error: reasons.append(reason))(None, "info", event)
    assert b"\n" not in line
    read: dict[str, Any] = json.loads(line)
    return read


class TestRender:
    @given(st.dictionaries(st.text(), plain))
    def test_plain(self, event: dict[str, Any]) -> None:
        """Plain values are written as they are."""
        assert event == rendered(dict(event))

    def test_order(self) -> None:
        """When, how bad, what and who come first."""
        event = {"a": 1, "logger": "l", "event": "e", "level": "info", "timestamp": "t"}

        assert ["timestamp", "level", "event", "logger", "a"] == list(rendered(event))

    @given(st.dictionaries(keys, plain | st.sampled_from(ODD), max_size=6))
    def test_anything(self, event: dict[Any, Any]) -> None:
        """Whatever is logged, one line of JSON comes out and nothing is raised."""
        rendered(dict(event))

    @pytest.mark.parametrize("odd", ODD, ids=lambda o: type(o).__name__)
    def test_beside_odd(self, odd: Any) -> None:
        """An odd value leaves what stands beside it as it is."""
        line = rendered({"event": "hello", "good": 1, "share": 0.5, "yes": True, "odd": odd})

        assert ("hello", 1, 0.5, True) == (
            line["event"],
            line["good"],
            line["share"],
            bool(line["yes"]),
        )

    @pytest.mark.parametrize("odd", ODD, ids=lambda o: type(o).__name__)
    def test_two_odd(self, odd: Any) -> None:
        """Two odd values at once are written, too."""
        assert {"event", "odd", "other"} == set(
            rendered({"event": "e", "odd": odd, "other": "\ud800"})
        )

    def test_deep(self) -> None:
        """What is too deep to be written is replaced by a word about it."""
        assert "hello" == rendered({"event": "hello", "deep": deep()})["event"]

    def test_number(self) -> None:
        """A number of a class of its own is a number in the line."""
        assert 1.5 == rendered({"temperature": Kelvin(1.5)})["temperature"]

    def test_hostile(self) -> None:
        """What cannot be written is named by its class and its error."""
        assert "<Hostile: RuntimeError>" == rendered({"odd": Hostile()})["odd"]

    def test_counted(self) -> None:
        """A line that could not be written as it was is a fault."""
        faults: list[str] = []
        rendered({"odd": "\ud800"}, faults)

        assert ["render"] == faults

    def test_surrogate(self) -> None:
        """What UTF-8 cannot hold is replaced."""
        assert "a?b" == rendered({"odd": "a\udfffb"})["odd"]


class TestTraceIds:
    @pytest.mark.parametrize(("flags", "text"), [(0, "00"), (1, "01"), (3, "03")])
    def test_span(self, flags: int, text: str) -> None:
        """The current span is named as W3C writes it, sampled or not."""
        context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(flags))
        with trace.use_span(NonRecordingSpan(context)):
            event = dict(add_trace_ids(None, "info", {}))

        assert {
            "trace_id": "00000000000000000000000000000abc",
            "span_id": "0000000000000def",
            "trace_flags": text,
        } == event

    def test_none(self) -> None:
        """Outside of spans there are no ids."""
        assert {} == add_trace_ids(None, "info", {})


class TestExceptions:
    def test_frames(self) -> None:
        """An exception becomes its frames, its message and its class."""
        (trace_,) = _failed(lambda: int("x"))

        assert "ValueError" == trace_["exc_type"]
        assert "invalid literal for int() with base 10: 'x'" == trace_["exc_value"]
        assert "_failed" == trace_["frames"][0]["name"]

    def test_no_locals(self) -> None:
        """What variables hold is not told."""

        def log_in() -> None:
            password = "hunter2"  # noqa: F841  # it is the point
            raise ValueError("refused")

        assert "hunter2" not in json.dumps(_failed(log_in))

    def test_cause(self) -> None:
        """What an exception came from is told, too."""

        def fail() -> None:
            try:
                int("x")
            except ValueError as error:
                raise KeyError("y") from error

        assert ["KeyError", "ValueError"] == [each["exc_type"] for each in _failed(fail)]

    @pytest.mark.parametrize("exc_info", [True, False, None, (None, None, None), "text", 1])
    def test_none(self, exc_info: Any) -> None:
        """Without an exception there is nothing to tell."""
        event = structured_exceptions()(None, "info", {"event": "e", "exc_info": exc_info})

        assert {"event": "e"} == event


def _failed(do: Callable[[], object]) -> list[dict[str, Any]]:
    """Do something that fails, and have the chain tell of it."""
    try:
        do()
    except Exception as error:  # noqa: BLE001  # whatever it is
        event: Any = structured_exceptions()(None, "error", {"exc_info": error})
        traces: list[dict[str, Any]] = event["exception"]
        return traces
    raise AssertionError("it did not fail")
