"""Label values of a series: text in declared order and of a bounded length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_meta.model.labels import OTHER, Label
from otel_meta.runtime.text import utf8_text

MAX_LENGTH: Final = 1024
"""The maximal length of a label value, in characters. Longer values are cut."""

OnLabelFault = Callable[[str, object], None]
"""Receives a reason, one of few, and a detail for the log."""


class UnknownLabelError(Exception):
    """A recording has a label unknown to the instrument, or lacks a label."""


class LabelValues:
    """Converts the labels of a recording to label values.

    Args:
        fields: the labels as declared.
        max_length: the maximal length of a value, in characters.
        on_fault: receives values that are cut, or are not in the closed set of their label.
    """

    def __init__(self, fields: tuple[Label, ...], max_length: int, on_fault: OnLabelFault) -> None:
        self._fields: Final = fields
        self._names: Final = frozenset(field.name for field in fields)
        self._max_length: Final = max_length
        self._on_fault: Final = on_fault

    def of(self, labels: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the values in declared order.

        Raises:
            UnknownLabelError: a label is missing, or unknown to the instrument.
        """
        unknown = labels.keys() - self._names
        if unknown:
            raise UnknownLabelError(f"has no label {', '.join(sorted(unknown))}")
        return tuple(
            self._value(field, labels.get(field.name, field.default)) for field in self._fields
        )

    def _value(self, field: Label, given: object) -> str:
        if given is None:
            raise UnknownLabelError(f"lacks the label {field.name}")
        value = utf8_text(given if isinstance(given, str) else str(given))
        if not field.accepts(value):
            self._on_fault("label value", f"{field.name}={value!r} is not in its closed set")
            return OTHER
        if len(value) > self._max_length:
            self._on_fault("label length", f"{field.name} has {len(value)} characters and is cut")
            return value[: self._max_length]
        return value
