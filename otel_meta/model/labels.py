"""The labels of a metric (attributes in OpenTelemetry), declared as a frozen dataclass.

A field of type ``str`` is an open label, with any value; a ``Literal`` of strings is a closed one.
The constructor of the class becomes the signature of the instrument's methods, so type checkers
and editors know every label and every closed value.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
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

from .arguments import did_you_mean, expect_type
from .declared_call import declaring
from .identity import NAMESPACE, PLACES, SERVICE

T = TypeVar("T")

MAX_OPEN_LABELS: Final = 2
"""Limit of open labels, whose combinations multiply without bound."""

OTHER: Final = "_OTHER"
"""Replaces a value outside a closed set, as the HTTP conventions do for unknown methods."""

IDENTITY_LABELS: Final = (SERVICE, NAMESPACE)
"""Labels of every series, from the resource: the service and its meta-repository."""

_KEY: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
SCRAPE_LABELS: Final = (
    *("job", "instance"),
    *("namespace", "pod", "container", "service", "endpoint", "node"),
    *("cluster", "environment", "prometheus", "prometheus_replica", "replica"),
)
"""Labels that scraping, an operator for Prometheus, or external labels add to a series.

Their value replaces that of a metric, or is lost: it depends on the way that the series takes.
"""

_RULE_LABELS: Final = ("alertname", "alertstate", "slo")
_SETTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("le", "quantile"), "buckets and quantiles"),
    **dict.fromkeys((*IDENTITY_LABELS, *PLACES), "the identity of a service"),
    **dict.fromkeys(SCRAPE_LABELS, "scraping"),
    **dict.fromkeys(_RULE_LABELS, "rules"),
}
_BETTER_NAMES: Final[Mapping[str, str]] = {
    **{name: f"target_{name}" for name in (*SCRAPE_LABELS, "deployment_environment_name")},
    "endpoint": "path",
    "service": "called_service",
    "slo": "objective",
}
_RESERVED_PREFIXES: Final = ("otel_", "exported_")
_FIELDS: Final = "__otel_meta_labels__"
_LABELS_FORM: Final = "decorate with @labels a class whose fields are labels, such as mode: str"


@dataclass(frozen=True)
class Attribute:
    """Mapping of a label to an OpenTelemetry attribute, for use in ``Annotated``.

    Metrics of the semantic conventions need it, because their attribute keys have dots.
    """

    key: str
    """Attribute key; with underscores for dots, the name of the label."""
    values: tuple[str, ...] | None = None
    """Closed values, where a ``Literal`` would be too long."""
    encode: Callable[[str], str | int] = str
    """Conversion of a label value to an attribute value."""

    def __post_init__(self) -> None:
        where = f"attribute {self.key!r}"
        expect_type(where, "key", self.key, str, 'give the key in quotes, such as "http.route"')
        if self.values is not None:
            fix = 'give a tuple of texts, such as ("1", "2")'
            expect_type(where, "values", self.values, tuple, fix)


@dataclass(frozen=True)
class Label:
    """A label of a metric."""

    name: str
    """Name in Prometheus, and keyword argument when recording."""
    values: tuple[str, ...] | None
    """Values of a closed label; None for an open label."""
    default: str | None
    """Value of a recording without this label; "" leaves the label out of the series."""
    attribute: Attribute

    def accepts(self, value: object) -> bool:
        """Return True if a series may have this value."""
        if self.values is None:
            return isinstance(value, str)
        return value in (*self.values, self.default, OTHER) and value is not None


@declaring
@dataclass_transform(frozen_default=True, kw_only_default=True)
def labels(cls: type[T]) -> type[T]:
    """Make a class the labels of a metric: a frozen, keyword-only dataclass of strings.

    Examples:
        >>> @labels
        ... class Request:
        ...     route: str
        ...     method: Literal["GET", "POST"]

    Raises:
        DeclarationError: a name is reserved or differs between export paths, a type is neither
            ``str`` nor a ``Literal`` of strings, or more than two labels are open.
    """
    expect_type("labels", "class", cls, type, _LABELS_FORM)
    _check_annotated(cls)
    made = _frozen(cls)
    hints = _hints(made)
    fields = tuple(_label(cls.__name__, f, hints[f.name]) for f in dataclasses.fields(made))
    _limit_open(cls.__name__, fields)
    setattr(made, _FIELDS, fields)
    return cls


def labels_of(cls: object) -> tuple[Label, ...]:
    """Return the labels of a class decorated with `labels`, in declared order.

    Raises:
        DeclarationError: the class is not decorated.
    """
    fields: tuple[Label, ...] | None = vars(cls).get(_FIELDS) if isinstance(cls, type) else None
    if fields is None:
        raise DeclarationError(
            getattr(cls, "__name__", repr(cls)),
            "is not a set of labels",
            "decorate it with @labels"
            if isinstance(cls, type)
            else "give a class that is decorated with @labels, or NoLabels",
        )
    return fields


def label_class_from(fields: tuple[Label, ...]) -> type:
    """Return a class with given labels, for labels that are only known at run time."""
    return type("Labels", (), {_FIELDS: fields})


def closed_combinations(fields: tuple[Label, ...]) -> int:
    """Return the number of combinations of the closed labels' values."""
    return math.prod(len(f.values) for f in fields if f.values is not None)


def expand_closed(fields: tuple[Label, ...], known: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Return each combination of label values in declared order, open labels as in ``known``."""
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
        near = did_you_mean(default, values)
        fix = f"choose one of {list(values)}{near}"
        raise DeclarationError(where, f"defaults to {default!r}", fix)
    if attribute.key.replace(".", "_") != field.name:
        raise DeclarationError(
            where,
            f"would be exported as {attribute.key}",
            "use the same words in both",
        )
    return Label(field.name, values, default, attribute)


def _check_key(where: str, name: str) -> None:
    if not _KEY.fullmatch(name):
        raise DeclarationError(
            where, "is not the same on every export path", "use lower-case words joined by single _"
        )
    if setter := _setter(name):
        better = f", such as {_BETTER_NAMES[name]}" if name in _BETTER_NAMES else ""
        raise DeclarationError(
            where,
            f"is reserved for {setter}",
            f"choose a name for the meaning of the value{better}",
        )


def _setter(name: str) -> str:
    """Return what sets a reserved label; empty for a label that nothing else sets."""
    return "scraping" if name.startswith(_RESERVED_PREFIXES) else _SETTERS.get(name, "")


def _closed_values(where: str, hint: object) -> tuple[str, ...] | None:
    if hint is str:
        return None
    values = get_args(hint) if get_origin(hint) is Literal else ()
    if not values or not all(isinstance(v, str) and v for v in values):
        raise DeclarationError(where, "has an unsupported type", _right_type(hint, values))
    return values


def _right_type(hint: object, values: tuple[object, ...]) -> str:
    """Return the supported type that has the meaning of an unsupported type."""
    members = list(hint) if isinstance(hint, type) and issubclass(hint, Enum) else [*values]
    texts = [str(getattr(member, "value", member)) for member in members]
    if texts and all(texts):
        listed = ", ".join(f'"{text}"' for text in texts)
        return f"declare it as Literal[{listed}]"
    if hint is bool:
        return 'declare it as Literal["true", "false"]'
    if type(None) in get_args(hint):
        return 'declare it as str = "": an empty label is left out of the series'
    return "declare it as str, or as a Literal of non-empty strings"


def _check_annotated(cls: type) -> None:
    """Refuse an attribute without a type, which a dataclass would not make a label."""
    for name, value in vars(cls).items():
        if isinstance(value, str) and not name.startswith("__") and name not in _annotations(cls):
            raise DeclarationError(
                f"label {cls.__name__}.{name}", "has no type", f"write {name}: str = {value!r}"
            )


def _frozen(cls: type) -> Any:
    decorate: Any = dataclass(frozen=True, kw_only=True)
    try:
        return decorate(cls)
    except (TypeError, ValueError) as error:
        raise DeclarationError(f"labels {cls.__name__}", str(error), _LABELS_FORM) from error


def _annotations(cls: type) -> Container[str]:
    return inspect.get_annotations(cls)


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        raise DeclarationError(
            f"labels {cls.__name__}",
            f"have a type that cannot be read: {error}",
            "import the names in the annotations where the labels are declared, outside of "
            "TYPE_CHECKING",
        ) from error


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
    """Labels of a metric with one series for each service."""
