"""Label values as a series has them: text, in declared order, of a bounded length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_meta.model.labels import OTHER, Label
from otel_meta.runtime.text import in_words

MAX_LENGTH: Final = 1024
"""Characters of a label value; what is longer is cut. A route or a tenant is far below."""

OnFault = Callable[[str, object], None]
"""Is told a reason, one of few, and what was seen."""


class UnknownLabelError(Exception):
    """A recording named a label that the instrument lacks, or left one out."""


class LabelValues:
    """Makes label values of whatever a recording was given.

    Args:
        fields: the labels as declared.
        max_length: characters that a value may have.
        on_fault: is told of a value that is cut, or is not of its closed set.
    """

    def __init__(self, fields: tuple[Label, ...], max_length: int, on_fault: OnFault) -> None:
        self._fields: Final = fields
        self._names: Final = frozenset(field.name for field in fields)
        self._max_length: Final = max_length
        self._on_fault: Final = on_fault

    def of(self, labels: Mapping[str, Any]) -> tuple[str, ...]:
        """The values in declared order.

        Raises:
            UnknownLabelError: a label is missing, or is none of the instrument's.
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
        value = in_words(given if isinstance(given, str) else str(given))
        if not field.accepts(value):
            self._on_fault("label value", f"{field.name}={value!r} is not in its closed set")
            return OTHER
        if len(value) > self._max_length:
            self._on_fault("label length", f"{field.name} has {len(value)} characters and is cut")
            return value[: self._max_length]
        return value
