"""All series of one instrument in this process, found by their label values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from otel_meta.model import Instrument
from otel_meta.model.labels import OTHER, Label, closed_combinations, expand_closed

from .cells import Cell
from .text import in_words

CellT = TypeVar("CellT", bound=Cell)

MAX_SERIES: Final = 2000
"""Series a metric may have in a process; OpenTelemetry's default. Further ones share one series."""

OVERFLOW: Final = ("otel.metric.overflow",)
"""Marks the label values of the series that takes what is over the limit."""

_TOGETHER: Final = 32
"""Closed combinations up to this many are created together, at zero (see `Family._create`)."""


class UnknownLabelError(Exception):
    """A recording named a label that the instrument lacks, or left one out."""


class Family(Generic[CellT]):
    """The series of an instrument.

    Args:
        instrument: as declared.
        make: creates a cell for label values in declared order.
        limit: how many series there may be before the rest share one.
        on_fault: is told ``(reason, detail)`` when a label value is unknown or the limit is met.
    """

    def __init__(
        self,
        instrument: Instrument[...],
        make: Callable[[tuple[str, ...]], CellT],
        *,
        limit: int = MAX_SERIES,
        on_fault: Callable[[str, str], None] = lambda _reason, _detail: None,
    ) -> None:
        self.instrument: Final = instrument
        self._fields: Final = instrument.label_fields
        self._width: Final = len(self._fields)
        self._key: Final = _key_of(self._fields)
        self._make: Final = make
        self._limit: Final = limit
        self._on_fault: Final = on_fault
        self._by_key: dict[object, CellT] = {}
        self._by_values: dict[tuple[str, ...], CellT] = {}
        self._overflow: CellT | None = None
        self._lock: Final = Lock()
        if instrument.monotonic and all(field.values is not None for field in self._fields):
            self._start_closed()

    def find(self, labels: Mapping[str, Any]) -> CellT:
        """The series with these labels, created if it is new.

        Raises:
            UnknownLabelError: a label is missing, or is none of the instrument's.
        """
        if len(labels) == self._width:
            try:
                return self._by_key[self._key(labels)]
            except (KeyError, TypeError):  # new, misnamed, or not a string
                pass
        return self.series(self._values(labels))

    def series(self, values: tuple[str, ...]) -> CellT:
        """The series with these label values in declared order, created if it is new."""
        cell = self._by_values.get(values)
        if cell is not None:
            return cell
        with self._lock:
            cell = self._by_values.get(values) or self._create(values)
        if cell is self._overflow:
            # Not within the lock: whoever is told may log, and a log handler may record.
            self._on_fault("cardinality", f"more than {self._limit} series; the rest share one")
        return cell

    def cells(self) -> Iterator[CellT]:
        """Every series there is, that of the overflow last."""
        with self._lock:
            cells = list(self._by_values.values())
            if self._overflow is not None:
                cells.append(self._overflow)
        return iter(cells)

    def _start_closed(self) -> None:
        if closed_combinations(self._fields) <= _TOGETHER:
            with self._lock:
                self._create(next(expand_closed(self._fields, {})))

    def _create(self, values: tuple[str, ...]) -> CellT:
        """Create a series; of a counter, those that differ from it in closed labels too.

        A counter that appears with its first failure already counted hides that failure from
        ``rate`` and ``increase``, which see growth only (prometheus#1673). At zero it is seen.
        """
        if len(self._by_values) >= self._limit:
            self._overflow = self._overflow or self._make(OVERFLOW)
            return self._overflow
        cell = self._keep(values)
        for sibling in self._siblings(values):
            if sibling not in self._by_values and len(self._by_values) < self._limit:
                self._keep(sibling)
        return cell

    def _siblings(self, values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not self.instrument.monotonic or closed_combinations(self._fields) > _TOGETHER:
            return iter((values,))
        known = {field.name: value for field, value in zip(self._fields, values, strict=True)}
        return expand_closed(self._fields, known)

    def _keep(self, values: tuple[str, ...]) -> CellT:
        cell = self._by_values[values] = self._make(values)
        named = {field.name: value for field, value in zip(self._fields, values, strict=True)}
        self._by_key[self._key(named)] = cell
        return cell

    def _values(self, labels: Mapping[str, Any]) -> tuple[str, ...]:
        known = {field.name for field in self._fields}
        if not labels.keys() <= known:
            raise UnknownLabelError(f"has no label {', '.join(sorted(labels.keys() - known))}")
        return tuple(
            self._value(field, labels.get(field.name, field.default)) for field in self._fields
        )

    def _value(self, field: Label, given: object) -> str:
        if given is None:
            raise UnknownLabelError(f"lacks the label {field.name}")
        value = in_words(given if isinstance(given, str) else str(given))
        if field.can_be(value):
            return value
        self._on_fault("label value", f"{field.name}={value!r} is not in its closed set")
        return OTHER


def _key_of(fields: tuple[Label, ...]) -> Callable[[Mapping[str, Any]], object]:
    if not fields:
        return lambda _labels: ()
    return itemgetter(*(field.name for field in fields))
