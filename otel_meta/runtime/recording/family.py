"""All series of one instrument in this process, found by their label values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import RLock
from typing import Any, Final, Generic, TypeVar, cast

from otel_meta.model import Instrument
from otel_meta.model.labels import closed_combinations, expand_closed

from .cardinality import MAX_SERIES, CardinalityLimit
from .cells import Cell, Numbers
from .exemplars import NO_SPANS, SampledSpans
from .label_values import MAX_LENGTH, LabelValues, OnFault
from .memory import Allocator, HeapAllocator

CellT = TypeVar("CellT", bound=Cell)

OVERFLOW: Final = ("otel.metric.overflow",)
"""Marks the label values of the series that takes what is over the limit."""

_TOGETHER: Final = 32
"""Closed combinations up to this many are created together, at zero (see `Family._create`)."""

_GONE: Final = cast("Numbers", ())
"""Neither read nor written: whoever tries looks for the series anew."""


class Family(Generic[CellT]):
    """The series of an instrument.

    Args:
        instrument: as declared.
        make: creates a cell for label values in declared order.
        slots: hands out a new series' numbers.
        limit: how many series there may be before the rest share one, unless the instrument says.
        max_length: characters that a label value may have.
        spans: knows which exemplars to take.
        on_fault: is told ``(reason, detail)`` of label values that are unknown or cut, of the
            limit once it is met, and of a slot that is not to be had.
    """

    def __init__(
        self,
        instrument: Instrument[...],
        make: Callable[[tuple[str, ...]], CellT],
        *,
        slots: Allocator | None = None,
        limit: int = MAX_SERIES,
        max_length: int = MAX_LENGTH,
        spans: SampledSpans = NO_SPANS,
        on_fault: OnFault = lambda _reason, _detail: None,
    ) -> None:
        self.instrument: Final = instrument
        self.by_values: Final[dict[tuple[str, ...], CellT]] = {}
        """Every series but that of the overflow; to look one up needs no lock."""
        self._fields: Final = instrument.label_fields
        self._label_values: Final = LabelValues(self._fields, max_length, on_fault)
        self._make: Final = make
        self._slots: Final[Allocator] = slots or HeapAllocator()
        self._most: Final = limit
        self._spans: Final = spans
        self._on_fault: Final = on_fault
        self._lock = RLock()  # a finaliser that records may run while a series is created
        self._places = self._all_places()
        self._overflow: CellT | None = None
        self._complete = False
        self._faults: list[tuple[str, object]] = []

    @property
    def limit(self) -> int:
        """How many series there may be, besides that of the overflow."""
        return self._places.limit

    def find(self, labels: Mapping[str, Any]) -> CellT:
        """The series with these labels, created if it is new.

        Raises:
            UnknownLabelError: a label is missing, or is none of the instrument's.
        """
        return self.series(self._label_values.of(labels))

    def series(self, values: tuple[str, ...]) -> CellT:
        """The series with these label values in declared order, created if it is new."""
        cell = self.by_values.get(values)
        if cell is not None:
            return cell
        with self._lock:
            self._start_closed()
            cell = self.by_values.get(values) or self._create(values)
            faults, self._faults = self._faults, []
        for fault in faults:
            # Not within the lock: whoever is told may log, and a log handler may record.
            self._on_fault(*fault)
        return cell

    def remove(self, labels: Mapping[str, Any]) -> None:
        """End the series with these labels, if there is one; recording into it begins it anew.

        Raises:
            UnknownLabelError: a label is missing, or is none of the instrument's.
        """
        values = self._label_values.of(labels)
        with self._lock:
            cell = self.by_values.pop(values, None)
            if cell is not None:
                cell.retire()
                self._places.release(values)
                self._slots.release(self.instrument, values)

    def cells(self) -> Iterator[CellT]:
        """Every series there is, that of the overflow last."""
        with self._lock:
            self._start_closed()
            cells = list(self.by_values.values())
            if self._overflow is not None:
                cells.append(self._overflow)
        return iter(cells)

    def after_fork(self) -> None:
        """Forget every series. In a forked child, where no other thread is left.

        Nothing is given back or read, for the numbers are the parent's, and nothing is taken:
        whoever forks often does so for something that records nothing.
        """
        self._lock = RLock()  # a thread of the parent may have held the old one
        for cell in (*self.by_values.values(), self._overflow):
            if cell is not None:
                cell.numbers = _GONE
        self.by_values.clear()
        self._places = self._all_places()
        self._overflow = None
        self._complete = False
        self._faults = []

    def _all_places(self) -> CardinalityLimit:
        return CardinalityLimit(self._fields, self.instrument.max_series or self._most)

    def _start_closed(self) -> None:
        """Create what is known from the start, once it is first looked for."""
        if self._complete:
            return
        self._complete = True
        closed = all(field.values is not None for field in self._fields)
        if self.instrument.monotonic and closed and closed_combinations(self._fields) <= _TOGETHER:
            self._create(next(expand_closed(self._fields, {})))

    def _create(self, values: tuple[str, ...]) -> CellT:
        """Create a series; of a counter, those that differ from it in closed labels too.

        A counter that appears with its first failure already counted hides that failure from
        ``rate`` and ``increase``, which see growth only (prometheus#1673). At zero it is seen.
        """
        if not self._places.take(values):
            detail = f"more than {self.limit} series; the rest share one"
            self._faults.append(("cardinality", detail))
            self._overflow = self._overflow or self._cell(OVERFLOW)
            return self._overflow
        cell = self.by_values[values] = self._cell(values)
        for sibling in self._siblings(values):
            if sibling not in self.by_values and self._places.take(sibling):
                self.by_values[sibling] = self._cell(sibling)
        return cell

    def _siblings(self, values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not self.instrument.monotonic or closed_combinations(self._fields) > _TOGETHER:
            return iter(())
        known = {field.name: value for field, value in zip(self._fields, values, strict=True)}
        return expand_closed(self._fields, known)

    def _cell(self, values: tuple[str, ...]) -> CellT:
        cell = self._make(values)
        cell.spans = self._spans
        try:
            cell.numbers = self._slots.take(self.instrument, values, len(cell.numbers))
        except OSError as error:  # it keeps the private numbers that it was made with
            self._faults.append(("slot", error))
        return cell
