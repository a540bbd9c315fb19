"""Values of log fields, rendered once for the line and for OTLP.

A rendered value is None, a boolean, a number, a text, or a list or map of rendered values. It shows
no more than ``repr(value)`` shows, so that a secret that a class hides stays hidden: a class with a
`__repr__` of its own is rendered as that text. The value of a field or key with a secret's name is
redacted, as are secrets in a URL or a `repr`. Texts, containers and the whole line are bounded, and
the rendered value says what was left out.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import isfinite
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, cast
from uuid import UUID

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.redaction import DEFAULT, Redaction
from otel_meta.runtime.text import utf8_text

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

MAX_TEXT: Final = 8_192
"""Maximum number of characters in a value."""
MAX_LINE: Final = 32_768
"""Maximum number of characters in all long values of a line."""
MAX_FIELDS: Final = 100
"""Maximum number of fields; the SDK keeps 128 attributes."""
MAX_ITEMS: Final = 100
"""Maximum number of items in a list or map."""
MAX_LINE_ITEMS: Final = 1_000
"""Maximum number of items in all lists and maps of a line."""
MAX_DEPTH: Final = 8
"""Maximum nesting of lists and maps."""
_SHORT: Final = 512
"""Texts of this length are not added up: their number is bounded."""
_MAX_BYTES: Final = MAX_TEXT // 8
"""A byte takes up to four characters."""
_INT64: Final = 2**63


def render_fields(fields: Mapping[Any, Any], redaction: Redaction = DEFAULT) -> dict[str, Any]:
    """Return the fields with rendered values; long and unusual values share the bounds."""
    renderer: FieldRenderer | None = None
    rendered: dict[str, Any] = {}
    rules = redaction.rules
    for key, value in fields.items():
        if type(key) is str and key.isascii() and is_plain(value) and rules[key] is None:
            rendered[key] = value
        else:
            renderer = renderer or FieldRenderer(redaction)
            name = renderer.key(key)
            rendered[name] = renderer.field(name, value)
    if len(rendered) > MAX_FIELDS:
        rendered = dict(islice(rendered.items(), MAX_FIELDS))
        rendered["fields_left_out"] = len(fields) - MAX_FIELDS
    return rendered


def is_plain(value: object) -> bool:
    """Return True for the common values, which need no rendering; a URL may have a password."""
    if type(value) is str:
        return len(value) <= _SHORT and value.isascii() and "://" not in value
    if type(value) is int:
        return -_INT64 <= value < _INT64
    return value is None or type(value) is bool or (type(value) is float and isfinite(value))


class FieldRenderer:
    """Renders the values of one line."""

    def __init__(self, redaction: Redaction = DEFAULT) -> None:
        self._redaction: Final = redaction
        self._characters_left = MAX_LINE
        self._items_left = MAX_LINE_ITEMS

    def render(self, value: object, depth: int = 0) -> Plain:
        """Render a value; if that fails, the text has the types of value and error."""
        if is_plain(value):
            return cast("Plain", value)
        try:
            return _renderer(type(value))(self, value, depth)
        except Exception as error:
            reraise_interruption(error)
            return f"<{type(value).__name__}: {type(error).__name__}>"

    def field(self, name: str, value: object, depth: int = 0) -> Plain:
        """Render the value of a field, or of a key of a map, redacted as the name says."""
        rendered = self.render(value, depth)
        rule = self._redaction.rules[name]
        return rendered if rule is None else cast("Plain", rule(rendered))

    def key(self, key: object) -> str:
        """Render the key of a field or map."""
        text = self.render(key)
        return text if isinstance(text, str) else utf8_text(text)

    def items(self, values: Any, depth: int) -> Plain:
        """Render a sequence, set or array."""
        if depth == MAX_DEPTH:
            return _too_deep(values)
        rendered = [self.render(value, depth + 1) for value in self._allowed(values)]
        return rendered + _left_out(len(values) - len(rendered))

    def map(self, values: Mapping[Any, Any], depth: int) -> Plain:
        """Render a mapping."""
        if depth == MAX_DEPTH:
            return _too_deep(values)
        allowed = self._allowed(values.items())
        named = ((self.key(key), value) for key, value in allowed)
        rendered = {name: self.field(name, value, depth + 1) for name, value in named}
        if left := _left_out(len(values) - len(rendered)):
            rendered["..."] = left[0]
        return rendered

    def set(self, values: Any, depth: int) -> Plain:
        """Render a set in an order that does not depend on the process."""
        rendered = self.items(values, depth)
        return sorted(rendered, key=repr) if isinstance(rendered, list) else rendered

    def named_tuple(self, value: Any, depth: int) -> Plain:
        """Render a named tuple as a map."""
        return self.map(dict(zip(value._fields, value, strict=False)), depth)

    def dataclass(self, value: Any, depth: int) -> Plain:
        """Render a dataclass as a map of the fields that its `repr` shows."""
        shown = (field.name for field in dataclasses.fields(value) if field.repr)
        return self.map({name: getattr(value, name) for name in shown}, depth)

    def enum(self, value: Enum, depth: int) -> Plain:
        """Render the value of a member."""
        return self.render(value.value, depth)

    def numpy(self, value: Any, depth: int) -> Plain:
        """Render a scalar as a number, and an array as lists."""
        if getattr(value, "ndim", 0):
            return self.items(value, depth)
        item = value.item()
        return self.shown(value, depth) if type(item) is type(value) else self.render(item, depth)

    def number(self, value: Any, depth: int) -> Plain:
        """Render a number of a subclass; numbers that JSON or OTLP cannot hold become texts."""
        number = float(value) if isinstance(value, float) else int(value)
        return number if is_plain(number) else self.shown(number, depth)

    def string(self, value: Any, _depth: int) -> Plain:
        """Render the usual text of a value, such as a date in ISO 8601."""
        return self._bounded(str(value))

    def iso(self, value: Any, _depth: int) -> Plain:
        """Render a date or a time in ISO 8601."""
        return self._bounded(value.isoformat())

    def seconds(self, value: timedelta, _depth: int) -> Plain:
        """Render a duration in seconds."""
        return value.total_seconds()

    def data(self, value: Any, _depth: int) -> Plain:
        """Render bytes as Python writes them."""
        start = bytes(memoryview(value)[:_MAX_BYTES])
        return self._bounded(repr(start)) + _more(len(value) - len(start), "bytes")

    def shown(self, value: object, _depth: int) -> Plain:
        """Render the `repr`, which a subclass of str may have as well."""
        return self._bounded(repr(value), is_searched=True)

    def _allowed(self, values: Iterable[Any]) -> Iterable[Any]:
        for value in islice(values, MAX_ITEMS):
            if self._items_left <= 0:
                return
            self._items_left -= 1
            yield value

    def _bounded(self, text: str, *, is_searched: bool = False) -> str:
        limit = max(min(MAX_TEXT, self._characters_left), 0)
        start = str(text[:limit])
        self._characters_left -= len(start)
        left_out = _more(len(text) - len(start), "characters")
        if is_searched or "://" in start:
            start = self._redaction.text(start)
        return utf8_text(start) + left_out


_EMPTY: Final[dict[str, str]] = {}
_VIEWS: Final[tuple[type, ...]] = tuple(
    type(view) for view in (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items())
)
_Render: TypeAlias = Callable[[FieldRenderer, Any, int], Plain]
_OF_BASE: Final[Mapping[type, _Render]] = {
    **dict.fromkeys((int, float), FieldRenderer.number),
    **dict.fromkeys((str, UUID, PurePath, Decimal, Fraction), FieldRenderer.string),
    **dict.fromkeys((datetime, date, time), FieldRenderer.iso),
    **dict.fromkeys((bytes, bytearray, memoryview), FieldRenderer.data),
    **dict.fromkeys((list, tuple, deque, range, array, UserList), FieldRenderer.items),
    **dict.fromkeys(_VIEWS, FieldRenderer.items),
    **dict.fromkeys((set, frozenset), FieldRenderer.set),
    **dict.fromkeys((dict, OrderedDict, defaultdict, Counter, UserDict), FieldRenderer.map),
    **dict.fromkeys((ChainMap, MappingProxyType), FieldRenderer.map),
    timedelta: FieldRenderer.seconds,
}
"""The rendering of a type, and of its subclasses without a `__repr__` of their own."""


def _find_renderer(kind: type) -> _Render:
    """Return the rendering of a class."""
    for applies, render in _OF_KIND:
        if applies(kind):
            return render
    bases = (base for base in kind.__mro__ if base in _OF_BASE)
    base = next(bases, object)
    if kind.__repr__ is base.__repr__:
        return _OF_BASE.get(base) or (
            FieldRenderer.map if issubclass(kind, Mapping) else FieldRenderer.shown
        )
    return FieldRenderer.shown


_renderer: Final[Callable[[type], _Render]] = lru_cache(maxsize=1024)(_find_renderer)


def _is_numpy(kind: type) -> bool:
    names = {(base.__module__, base.__name__) for base in kind.__mro__}
    return ("numpy", "generic") in names or (kind.__module__, kind.__name__) == ("numpy", "ndarray")


def _is_enum(kind: type) -> bool:
    return issubclass(kind, Enum) and getattr(kind.__repr__, "__module__", "") == Enum.__module__


def _is_named_tuple(kind: type) -> bool:
    return _code(kind.__repr__) is _code(_NamedTuple.__repr__)


def _is_dataclass(kind: type) -> bool:
    """Return True if `repr` was generated: a class may write a `__repr__` that hides a field."""
    inner = getattr(kind.__repr__, "__wrapped__", None)
    return (
        dataclasses.is_dataclass(kind)
        and _code(kind.__repr__) is _code(_Dataclass.__repr__)
        and _code(inner).co_filename == _code(_Dataclass.__repr__.__wrapped__).co_filename  # type: ignore[attr-defined]
    )


def _code(function: Any) -> Any:
    return getattr(function, "__code__", None)


class _NamedTuple(NamedTuple):
    """A class with the methods that `collections.namedtuple` generates."""


@dataclasses.dataclass
class _Dataclass:
    """A class with the methods that `dataclasses` generates."""


_OF_KIND: Final[tuple[tuple[Callable[[type], bool], _Render], ...]] = (
    (_is_enum, FieldRenderer.enum),
    (_is_numpy, FieldRenderer.numpy),
    (_is_named_tuple, FieldRenderer.named_tuple),
    (_is_dataclass, FieldRenderer.dataclass),
)


def _too_deep(value: object) -> str:
    return f"<{type(value).__name__}: nested more than {MAX_DEPTH} deep>"


def _left_out(items: int) -> list[Plain]:
    return [f"... {items} more"] if items > 0 else []


def _more(left: int, unit: str) -> str:
    return f"... [{left} more {unit}]" if left > 0 else ""
