from __future__ import annotations

import enum
import fractions
import json
import uuid
from collections import ChainMap, Counter, OrderedDict, UserDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import PurePosixPath
from threading import Lock
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import numpy as np
import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.field_values import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_LINE,
    MAX_LINE_ITEMS,
    MAX_TEXT,
    render_fields,
)

SECRET = "hunter2"  # a word to search for


class Hostile:
    """An object whose text raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Kelvin(float):
    """A subclass of float without a text of its own."""


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


Plain = namedtuple("Plain", "a b")  # noqa: PYI024  # the other way to make one


@dataclass
class User:
    """A dataclass that hides a field."""

    name: str
    password: str = field(repr=False, default=SECRET)


@dataclass
class Masked:
    """A dataclass with a text of its own."""

    password: str = SECRET

    def __repr__(self) -> str:
        return "Masked(***)"


@attrs.define
class Account:
    """An attrs class that hides a field."""

    name: str
    password: str = attrs.field(repr=False, default=SECRET)


class Login(pydantic.BaseModel):
    """A model with a secret and a hidden field."""

    secret: pydantic.SecretStr = pydantic.SecretStr(SECRET)
    password: str = pydantic.Field(repr=False, default=SECRET)


class MaskedText(str):
    """A text that hides itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class MaskedNumber(int):
    """A number that hides itself."""

    def __repr__(self) -> str:
        return "***"


class MaskedMap(dict[str, str]):
    """A map that hides its values."""

    def __repr__(self) -> str:
        return "***"


class MaskedPoint(Point):
    """A named tuple that hides its values."""

    def __repr__(self) -> str:
        return "***"


class MaskedColour(enum.Enum):
    """An enumeration that hides its values."""

    RED = SECRET

    def __repr__(self) -> str:
        return "***"


class Headers(Mapping[str, str]):
    """A mapping without a text of its own."""

    def __getitem__(self, key: str) -> str:
        return {"a": "b"}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


def cycle() -> list[Any]:
    """Return a list that contains itself, many times."""
    around: list[Any] = []
    around.extend([around] * 50)
    return around


def deep(levels: int) -> list[Any]:
    """Return nested lists."""
    inside: list[Any] = []
    for _ in range(levels):
        inside = [inside]
    return inside


ODD = [
    "\ud800",
    2**63,
    -(2**200),
    10**5000,
    float("nan"),
    float("inf"),
    Hostile(),
    cycle(),
    deep(100_000),
    {1, "a"},
    b"\xff",
    1j,
    object(),
    Lock(),
    {Hostile(): 1},
    {(1, 2): "tuple"},
    {"deep": [{"\ud800": 1}]},
    ValueError("\ud800"),
    (x for x in "ab"),
    Kelvin("nan"),
    MaskedText("\ud800"),
]


def rendered(value: Any) -> Any:
    """Render a single value."""
    return render_fields({"value": value})["value"]


class TestStructure:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, None),
            (True, True),
            (-(2**63), -(2**63)),
            (1.5, 1.5),
            ("é", "é"),
            (Kelvin(1.5), 1.5),
            (Colour.RED, "red"),
            (HTTPStatus.OK, 200),
            (Decimal("1.50"), "1.50"),
            (fractions.Fraction(1, 3), "1/3"),
            (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
            (date(2026, 1, 2), "2026-01-02"),
            (time(3, 4), "03:04:00"),
            (timedelta(minutes=1.5), 90.0),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (PurePosixPath("/tmp/a"), "/tmp/a"),  # no file
            (b"\xff", r"b'\xff'"),
            ([1, (2, 3)], [1, [2, 3]]),
            (deque([1]), [1]),
            (range(2), [0, 1]),
            ({"b", "a"}, ["a", "b"]),
            (frozenset({1}), [1]),
            ({"a": {"b": 1}}.keys(), ["a"]),
            ({"a": {"b": 1}}, {"a": {"b": 1}}),
            (OrderedDict(a=1), {"a": 1}),
            (Counter("a"), {"a": 1}),
            (UserDict(a=1), {"a": 1}),
            (ChainMap({"a": 1}), {"a": 1}),
            (MappingProxyType({"a": 1}), {"a": 1}),
            (Headers(), {"a": "b"}),
            ({1: 2, None: 3, Colour.RED: 4}, {"1": 2, "None": 3, "red": 4}),
            (Point(1, 2), {"x": 1, "y": 2}),
            (Plain(1, [Decimal(2)]), {"a": 1, "b": ["2"]}),
            (User("ann"), {"name": "ann"}),
            ([User("ann")], [{"name": "ann"}]),
            (2**63, "9223372036854775808"),
            (float("nan"), "nan"),
            (1j, "1j"),
            (ValueError("x"), "ValueError('x')"),
        ],
        ids=repr,
    )
    def test_value_keeps_its_structure(self, value: Any, expected: Any) -> None:
        """A value keeps its structure, and has a usual text if JSON has no form for it."""
        assert (type(expected), expected) == (type(rendered(value)), rendered(value))

    def test_numbers_and_arrays_of_numpy_are_numbers_and_lists(self) -> None:
        """Numbers and arrays of numpy are numbers and lists."""
        assert [5, 1.5, True, "a", [1, 2], [[0, 0]], 7] == [
            rendered(np.int64(5)),
            rendered(np.float64(1.5)),
            rendered(np.bool_(True)),  # the constructor
            rendered(np.str_("a")),
            rendered(np.array([1, 2])),
            rendered(np.zeros((1, 2))),
            rendered(np.array(7)),
        ]

    @pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
    def test_every_value_has_form_in_json(self, odd: Any) -> None:
        """Every value has a form in JSON, and does not change other fields."""
        line = render_fields({"before": 1, "odd": odd, "after": 2})

        assert {"before": 1, "after": 2}.items() <= json.loads(orjson.dumps(line)).items()

    @given(
        st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["\ud800"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
                lambda inner: (
                    st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner)
                ),
                max_leaves=8,
            ),
            max_size=5,
        )
    )
    def test_rendering_is_json_and_stable(self, fields: dict[str, Any]) -> None:
        """A rendering is JSON, and is rendered to itself."""
        line = render_fields(fields)

        assert line == json.loads(orjson.dumps(line))
        assert line == render_fields(line)


class TestSecrets:
    @pytest.mark.parametrize(
        "value",
        [
            User("ann"),
            Masked(),
            Account("ann"),
            Login(),
            MaskedText(SECRET),
            MaskedNumber(7),
            MaskedMap(a=SECRET),
            MaskedPoint(7, 7),
            MaskedColour.RED,
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": (v,)}])
    def test_what_repr_hides_is_not_rendered(self, value: Any, wrap: Any) -> None:
        """What `repr` hides is not rendered, at any depth."""
        text = json.dumps(rendered(wrap(value)))

        assert SECRET not in text
        assert "7" not in text

    def test_key_that_hides_itself_is_not_rendered(self) -> None:
        """A key that hides itself is not rendered."""
        assert {"***": 1} == rendered({MaskedText(SECRET): 1})


class TestBounds:
    def test_text_is_cut_and_says_so(self) -> None:
        """A long text is cut, and says how much was left out."""
        assert "x" * MAX_TEXT + "... [7 more characters]" == rendered("x" * (MAX_TEXT + 7))

    def test_bytes_are_cut_and_say_so(self) -> None:
        """Long bytes are cut, and say how much was left out."""
        assert rendered(b"x" * 10**7).endswith("more bytes]")

    def test_list_and_map_are_cut_and_say_so(self) -> None:
        """A long list and a long map are cut, and say how much was left out."""
        many = range(MAX_ITEMS + 7)

        assert [*range(MAX_ITEMS), "... 7 more"] == rendered(list(many))
        assert "... 7 more" == rendered(dict.fromkeys(many))["..."]

    def test_nesting_is_cut_and_says_so(self) -> None:
        """A deep nesting is cut, and says so."""
        assert f"<list: nested more than {MAX_DEPTH} deep>" in json.dumps(rendered(deep(100)))

    def test_number_of_fields_is_bounded(self) -> None:
        """The number of fields is bounded, and a field says how many were left out."""
        line = render_fields({f"field{number}": number for number in range(MAX_FIELDS + 7)})

        assert (MAX_FIELDS + 1, 7) == (len(line), line["fields_left_out"])

    def test_long_values_of_line_are_bounded_together(self) -> None:
        """The long values of a line are bounded together."""
        line = render_fields({f"field{number}": "x" * MAX_TEXT for number in range(50)})

        assert len(json.dumps(line)) < 2 * MAX_LINE

    def test_items_of_line_are_bounded_together(self) -> None:
        """The items of all lists of a line are bounded together, also of one that holds itself."""
        line = render_fields({"around": cycle(), "wide": [[0] * 100] * 100})

        assert len(json.dumps(line)) < 60 * MAX_LINE_ITEMS
