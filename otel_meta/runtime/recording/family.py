"""All series of one instrument in this process, by their label values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import RLock
from typing import Any, Final, Generic, TypeVar, cast

from otel_meta.model import Instrument
from otel_meta.model.labels import closed_combinations, expand_closed
from otel_meta.runtime.system_errors import is_system_error

from .cardinality import MAX_SERIES, CardinalityLimit
from .cells import Cell, Numbers
from .exemplars import NO_SPANS, SampledSpans
from .label_values import MAX_LENGTH, LabelValues, OnLabelFault
from .memory import Allocator, HeapAllocator

CellT = TypeVar("CellT", bound=Cell)

OVERFLOW: Final = ("otel.metric.overflow",)
"""The label values of the overflow series, which takes all recordings above the limit."""

_MAX_INITIALIZED: Final = 32
"""Up to this many closed combinations are created together, at zero (see `Family._create`)."""

_FORKED: Final = cast("Numbers", ())
"""Numbers of a cell after fork(). Every access raises, and the caller looks the series up again."""


class Family(Generic[CellT]):
    """The series of an instrument.

    Lookups take no lock; creation, removal and listing do (see `atomic`).

    Args:
        instrument: the declaration.
        make_cell: creates a cell for label values in declared order.
        allocator: allocates the numbers of new series; the heap by default.
        limit: the cardinality limit, unless the instrument declares its own.
        max_length: the maximal length of a label value, in characters.
        spans: the source of exemplars.
        on_fault: receives ``(reason, detail)`` of unknown or cut label values, of a reached limit,
            and of a failed allocation.
    """

    def __init__(
        self,
        instrument: Instrument[...],
        make_cell: Callable[[tuple[str, ...]], CellT],
        *,
        allocator: Allocator | None = None,
        limit: int = MAX_SERIES,
        max_length: int = MAX_LENGTH,
        spans: SampledSpans = NO_SPANS,
        on_fault: OnLabelFault = lambda _reason, _detail: None,
    ) -> None:
        self.instrument: Final = instrument
        self.by_values: Final[dict[tuple[str, ...], CellT]] = {}
        """All series but the overflow series; a lookup needs no lock."""
        self._fields: Final = instrument.label_fields
        self._label_values: Final = LabelValues(self._fields, max_length, on_fault)
        self._make_cell: Final = make_cell
        self._allocator: Final[Allocator] = allocator or HeapAllocator()
        self._default_limit: Final = limit
        self._spans: Final = spans
        self._on_fault: Final = on_fault
        self._lock = RLock()  # re-entrant: a finaliser may record while a series is created
        self._cardinality = self._new_cardinality_limit()
        self._overflow: CellT | None = None
        self._is_initialized = False
        self._faults: list[tuple[str, object]] = []

    @property
    def limit(self) -> int:
        """The largest number of series, without the overflow series."""
        return self._cardinality.limit

    def find(self, labels: Mapping[str, Any]) -> CellT:
        """Return the series with these labels, and create a new one if necessary.

        Raises:
            UnknownLabelError: a label is missing, or unknown to the instrument.
        """
        return self.series(self._label_values.of(labels))

    def series(self, values: tuple[str, ...]) -> CellT:
        """Return the series with these values in declared order; create a new one if necessary."""
        cell = self.by_values.get(values)
        if cell is not None:
            return cell
        with self._lock:
            self._initialize()
            cell = self.by_values.get(values) or self._create(values)
            faults, self._faults = self._faults, []
        for fault in faults:
            # Outside the lock: the callback may log, and a log handler may record.
            self._on_fault(*fault)
        return cell

    def remove(self, labels: Mapping[str, Any]) -> None:
        """Remove the series with these labels, if present; a later recording starts at zero.

        Raises:
            UnknownLabelError: a label is missing, or unknown to the instrument.
        """
        values = self._label_values.of(labels)
        with self._lock:
            cell = self.by_values.pop(values, None)
            if cell is not None:
                cell.retire()
                self._cardinality.release(values)
                self._allocator.free(self.instrument, values)

    def cells(self) -> Iterator[CellT]:
        """Return the cells of all series, with the overflow series last."""
        with self._lock:
            self._initialize()
            cells = list(self.by_values.values())
            if self._overflow is not None:
                cells.append(self._overflow)
        return iter(cells)

    def after_fork(self) -> None:
        """Forget all series in a forked child, in which no other thread runs.

        Nothing is read or freed, because the numbers belong to the parent. Nothing is allocated,
        because many children never record.
        """
        self._lock = RLock()  # another thread of the parent may have held the old lock
        for cell in (*self.by_values.values(), self._overflow):
            if cell is not None:
                cell.numbers = _FORKED
        self.by_values.clear()
        self._cardinality = self._new_cardinality_limit()
        self._overflow = None
        self._is_initialized = False
        self._faults = []

    def _new_cardinality_limit(self) -> CardinalityLimit:
        return CardinalityLimit(self._fields, self.instrument.max_series or self._default_limit)

    def _initialize(self) -> None:
        """Create the series of a counter with closed labels, before the first lookup."""
        if self._is_initialized:
            return
        self._is_initialized = True
        closed = all(field.values is not None for field in self._fields)
        if closed and self._creates_together():
            self._create(next(expand_closed(self._fields, {})))

    def _create(self, values: tuple[str, ...]) -> CellT:
        """Create a series; for a counter, also the series with other values of closed labels.

        ``rate`` and ``increase`` see growth only: a series that appears with its first failure
        already counted hides this failure (prometheus#1673). A series that starts at zero does not.
        """
        if not self._cardinality.acquire(values):
            detail = f"more than {self.limit} series; the rest share one"
            self._faults.append(("cardinality", detail))
            self._overflow = self._overflow or self._new_cell(OVERFLOW)
            return self._overflow
        cell = self.by_values[values] = self._new_cell(values)
        for sibling in self._siblings(values):
            if sibling not in self.by_values and self._cardinality.acquire(sibling):
                self.by_values[sibling] = self._new_cell(sibling)
        return cell

    def _siblings(self, values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not self._creates_together():
            return iter(())
        known = {field.name: value for field, value in zip(self._fields, values, strict=True)}
        return expand_closed(self._fields, known)

    def _creates_together(self) -> bool:
        """Return True for a counter with few combinations of closed label values."""
        if not self.instrument.monotonic:
            return False
        return closed_combinations(self._fields) <= _MAX_INITIALIZED

    def _new_cell(self, values: tuple[str, ...]) -> CellT:
        cell = self._make_cell(values)
        cell.spans = self._spans
        try:
            self._allocator.place(self.instrument, cell)
        except OSError as error:  # the numbers stay in the heap for now
            if not is_system_error(error):
                raise
            self._faults.append(("allocation", error))
        return cell
