"""The dimensions of a metric, declared as a frozen dataclass (OpenTelemetry: attributes).

A field is a ``str``, which leaves its values open, or a ``Literal`` of strings, which closes
them. Its constructor becomes the signature of the instrument's methods, so type checkers and
editors know every label and every closed value.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from otel_meta.errors import DeclarationError

T = TypeVar("T")

MAX_OPEN_LABELS: Final = 2
"""Open labels multiply without bound: two are a table that a person can still read."""

OTHER: Final = "_OTHER"
"""Stands for a value outside a closed set, as the HTTP conventions have it for unknown methods."""

IDENTITY_LABELS: Final = ("service_name", "service_namespace")
"""On every series, from the resource: which service, of which meta-repository."""

_KEY: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_RESERVED: Final = frozenset({"job", "instance", "le", "quantile", *IDENTITY_LABELS})
_RESERVED_PREFIXES: Final = ("otel_", "exported_")
_FIELDS: Final = "__otel_meta_labels__"


@dataclass(frozen=True)
class Attribute:
    """How a label is written as an OpenTelemetry attribute, where its key is not its own name.

    For metrics of the semantic conventions, whose keys have dots; given by ``Annotated``.
    ``values`` closes a set too long to spell as a ``Literal``; ``encode`` gives a non-string type.
    """

    key: str
    values: tuple[str, ...] | None = None
    encode: Callable[[str], str | int] = str


@dataclass(frozen=True)
class Label:
    """One dimension of a metric."""

    name: str
    """As Prometheus shows it, and as it is passed when recording."""
    values: tuple[str, ...] | None
    """The closed set, or None where any string may come."""
    default: str | None
    """Taken where a recording leaves the label out; "" means that the series lacks the label."""
    attribute: Attribute

    def can_be(self, value: object) -> bool:
        """Whether a series may have this value."""
        if self.values is None:
            return isinstance(value, str)
        return value in (*self.values, self.default, OTHER) and value is not None


@dataclass_transform(frozen_default=True, kw_only_default=True)
def labels(cls: type[T]) -> type[T]:
    """Declare the labels of a metric: a frozen, keyword-only dataclass of strings.

    >>> @labels
    ... class Request:
    ...     route: str
    ...     method: Literal["GET", "POST"]

    Raises:
        DeclarationError: a name that not every export path keeps, a reserved name, a type other
            than ``str`` or a ``Literal`` of strings, or more than two open labels.
    """
    made: Any = dataclass(frozen=True, kw_only=True)(cls)
    hints = get_type_hints(made, include_extras=True)
    fields = tuple(_label(cls.__name__, f, hints[f.name]) for f in dataclasses.fields(made))
    _limit_open(cls.__name__, fields)
    setattr(made, _FIELDS, fields)
    return cls


def labels_of(cls: object) -> tuple[Label, ...]:
    """The labels of a class made by `labels`, in declared order.

    Raises:
        DeclarationError: the class was not made by it.
    """
    fields: tuple[Label, ...] | None = vars(cls).get(_FIELDS) if isinstance(cls, type) else None
    if fields is None:
        raise DeclarationError(
            getattr(cls, "__name__", repr(cls)),
            "is not a set of labels",
            "decorate it with @labels",
        )
    return fields


def holding(fields: tuple[Label, ...]) -> type:
    """A set of labels that was declared elsewhere, as a class like those made by `labels`."""
    return type("Labels", (), {_FIELDS: fields})


def closed_combinations(fields: tuple[Label, ...]) -> int:
    """How many series the closed labels make for each combination of the open ones."""
    return math.prod(len(f.values) for f in fields if f.values is not None)


def expand_closed(fields: tuple[Label, ...], known: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Every combination of label values in declared order, the open ones taken from ``known``."""
    return product(*(f.values if f.values is not None else (known[f.name],) for f in fields))


def _label(owner: str, field: dataclasses.Field[Any], hint: object) -> Label:
    where = f"label {owner}.{field.name}"
    _check_key(where, field.name)
    attribute = next((a for a in get_args(hint) if isinstance(a, Attribute)), Attribute(field.name))
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    values = _closed_values(where, bare) or attribute.values
    default = None if field.default is dataclasses.MISSING else field.default
    if default is not None and not isinstance(default, str):
        raise DeclarationError(where, f"defaults to {default!r}", "label values are strings")
    if default and values is not None and default not in values:
        raise DeclarationError(where, f"defaults to {default!r}", f"choose one of {list(values)}")
    if attribute.key.replace(".", "_") != field.name:
        raise DeclarationError(
            where, f"would be exported as {attribute.key}", "give both the same words"
        )
    return Label(field.name, values, default, attribute)


def _check_key(where: str, name: str) -> None:
    if not _KEY.fullmatch(name):
        raise DeclarationError(
            where, "is not the same on every export path", "use lower-case words joined by single _"
        )
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise DeclarationError(
            where, "is reserved for scraping and identity", "say what the value is instead"
        )


def _closed_values(where: str, hint: object) -> tuple[str, ...] | None:
    if hint is str:
        return None
    values = get_args(hint) if get_origin(hint) is Literal else ()
    if not values or not all(isinstance(v, str) and v for v in values):
        raise DeclarationError(
            where,
            "does not hold strings",
            "declare it as str, or as a Literal of non-empty strings",
        )
    return values


def _limit_open(owner: str, fields: tuple[Label, ...]) -> None:
    open_labels = [f.name for f in fields if f.values is None]
    if len(open_labels) > MAX_OPEN_LABELS:
        raise DeclarationError(
            f"labels {owner}",
            f"leave {len(open_labels)} labels open ({', '.join(open_labels)})",
            f"close some with Literal or drop them: at most {MAX_OPEN_LABELS}",
        )


@labels
class NoLabels:
    """A metric with one series a service."""
