"""Label values of a series: text in declared order and of a bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, Protocol

from otel_meta.model.labels import OTHER, Label
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.text import utf8_text

MAX_LENGTH: Final = 1024
"""The maximal length of a label value, in characters. Longer values are cut."""

_MAX_SHOWN: Final = 10
"""Values of a closed set in a message; larger sets are cut."""

_MAX_TEXT: Final = 100
"""Characters of a label value in a message."""


class OnFault(Protocol):
    """Receives the faults of a metric's recordings."""

    def __call__(self, reason: str, detail: object, mistake: str | None = None, /) -> None:
        """Receive a fault, as `Faults.report` does after the name of the metric."""


def ignore_fault(_reason: str, _detail: object, _mistake: str | None = None, /) -> None:
    """Ignore a fault."""


class UnknownLabelError(Exception):
    """A recording has a label unknown to the instrument, or lacks a label."""


class LabelValues:
    """Converts the labels of a recording to label values.

    Args:
        fields: the labels as declared.
        max_length: the maximal length of a value, in characters.
        on_fault: receives values that are cut, or are not in the closed set of their label.
    """

    def __init__(self, fields: tuple[Label, ...], max_length: int, on_fault: OnFault) -> None:
        self._fields: Final = fields
        self._names: Final = tuple(field.name for field in fields)
        self._max_length: Final = max_length
        self._on_fault: Final = on_fault

    def of(self, labels: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the values in declared order.

        Raises:
            UnknownLabelError: a label is missing, unknown to the instrument, or has no text.
        """
        unknown = sorted(labels.keys() - self._names)
        if unknown:
            raise UnknownLabelError(f"has no label {', '.join(unknown)}; {self._cure(unknown[0])}")
        return tuple(
            self._value(field, labels.get(field.name, field.default)) for field in self._fields
        )

    def _value(self, field: Label, given: object) -> str:
        if given is None:
            raise UnknownLabelError(f"lacks the label {field.name}")
        value = utf8_text(given if isinstance(given, str) else _text(field, given))
        if not field.accepts(value):
            detail = f"{field.name}={value[:_MAX_TEXT]!r} is not in its closed set"
            cure = describe_choice(value, field.values or ())
            self._on_fault("label value", f"{detail}; {cure}", detail)
            return OTHER
        if len(value) > self._max_length:
            detail = f"{field.name} has {len(value)} characters and is cut"
            self._on_fault("label length", detail, field.name)
            return value[: self._max_length]
        return value

    def _cure(self, unknown: str) -> str:
        return describe_choice(unknown, self._names) if self._names else "it takes none"


def describe_choice(wrong: str, known: Iterable[str]) -> str:
    """Return the known names for a message, with the name that is most similar to a wrong one."""
    names = list(known)
    near = get_close_matches(wrong[:_MAX_TEXT], names, n=1)
    more = ", ..." if len(names) > _MAX_SHOWN else ""
    shown = f"choose one of {', '.join(names[:_MAX_SHOWN])}{more}"
    return f"did you mean {near[0]!r}? {shown}" if near else shown


def _text(field: Label, value: object) -> str:
    try:
        return f"{value!s}"  # unlike a call of str(), not an instruction that raises for others
    except Exception as error:
        reraise_interruption(error)
        kind = type(value).__name__
        raise UnknownLabelError(f"{field.name} is a {kind} that has no text") from error
