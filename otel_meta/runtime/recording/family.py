"""All series of one instrument in this process, by their label values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

from otel_meta.model import Instrument
from otel_meta.model.labels import Label, closed_combinations, expand_closed
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.interruption import reraise_interruption

from .atomic import atomic
from .cardinality import MAX_SERIES, CardinalityLimit
from .cells import Cell
from .exemplars import NO_SPANS, SampledSpans
from .label_values import MAX_LENGTH, LabelValues, OnFault, ignore_fault
from .memory import Allocator, HeapAllocator, InterruptedAllocation
from .native.native_calls import IN_MEMORY
from .recording_calls import CallMaker

CellT = TypeVar("CellT", bound=Cell)

Attributes = dict[str, str | int | bool]
"""Label values under OpenTelemetry's keys."""

OVERFLOW: Final = ("otel.metric.overflow",)
"""The label values of the overflow series, which takes all recordings above the limit."""

_MAX_INITIALIZED: Final = 32
"""Up to this many closed combinations are created together, at zero (see `Family._create`)."""


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
        on_fault: receives unknown or cut label values, a reached limit, and a failed allocation.
    """

    calls: ClassVar[CallMaker] = IN_MEMORY
    """Makes the functions that record into the series."""

    def __init__(
        self,
        instrument: Instrument[...],
        make_cell: Callable[[tuple[str, ...]], CellT],
        *,
        allocator: Allocator | None = None,
        limit: int = MAX_SERIES,
        max_length: int = MAX_LENGTH,
        spans: SampledSpans = NO_SPANS,
        on_fault: OnFault = ignore_fault,
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
        self._lock: Final = ForkSafeLock()
        self._cardinality = self._new_cardinality_limit()
        self.youngest_ns = 0
        """The latest start of a series."""
        self._overflow: CellT | None = None
        self._is_initialized = False
        self._unplaced: Final[dict[tuple[str, ...], CellT]] = {}
        """New series, whose numbers the allocator still has to place."""
        self._unfreed: Final[dict[tuple[str, ...], None]] = {}
        """Removed series, whose numbers the allocator still has to free."""
        self._is_settling = False
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
        return self.series(self.values(labels))

    def values(self, labels: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the values of labels in declared order.

        Raises:
            UnknownLabelError: a label is missing, unknown to the instrument, or has no text.
        """
        return self._label_values.of(labels)

    def series(self, values: tuple[str, ...]) -> CellT:
        """Return the series with these values in declared order; create a new one if necessary."""
        cell = self.by_values.get(values)
        if cell is not None:
            return cell
        with self._lock:
            self._initialize()
            cell = self._create(values)
            self._settle_memory()
        self._report_faults()
        return cell

    def remove(self, labels: Mapping[str, Any]) -> None:
        """Remove the series with these labels, if present; a later recording starts at zero.

        Raises:
            UnknownLabelError: a label is missing, or unknown to the instrument.
        """
        values = self.values(labels)
        with self._lock:
            cell = self._unlink(values, self._cardinality.cost(values))
            if cell is not None:
                cell.retire()
            self._settle_memory()
        self._report_faults()

    def cells(self) -> Iterator[CellT]:
        """Return the cells of all series, with the overflow series last."""
        with self._lock:
            self._initialize()
            self._settle_memory()
            cells = list(self.by_values.values())
            if self._overflow is not None:
                cells.append(self._overflow)
        return iter(cells)

    def at_zero(self, cell: CellT) -> CellT:
        """Return a cell that looks as the given one did at its start, and takes no recordings."""
        zero = self._make_cell(cell.labels)
        zero.start_ns, zero.rendered, zero.writable = cell.start_ns, cell.rendered, False
        return zero

    def after_fork(self) -> None:
        """Forget all series in a forked child, in which no other thread runs.

        Nothing is read or freed, because the numbers belong to the parent. Nothing is allocated,
        because many children never record.
        """
        for cell in (*self.by_values.values(), self._overflow):
            if cell is not None:
                cell.writable = False
        self.by_values.clear()
        self._unplaced.clear()
        self._unfreed.clear()
        self._is_settling = False
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
        closed = all(field.values is not None for field in self._fields)
        if closed and self._creates_together():
            self._create(next(expand_closed(self._fields, {})))
        self._is_initialized = True  # last, because a signal handler may raise

    def _create(self, values: tuple[str, ...]) -> CellT:
        """Create a series; for a counter, also the series with other values of closed labels.

        ``rate`` and ``increase`` see growth only: a series that appears with its first failure
        already counted hides this failure (prometheus#1673). A series that starts at zero does not.
        """
        try:
            cell = self._add(values)
        finally:  # a signal handler may raise after the addition, and siblings come with it only
            siblings = self._siblings(values) if values in self.by_values else ()
            for sibling in siblings:
                if sibling not in self.by_values and self._cardinality.has_room(sibling):
                    self._add(sibling)
        return cell

    def _add(self, values: tuple[str, ...]) -> CellT:
        if values in self.by_values or self._cardinality.has_room(values):
            return self._link(values, self._new_cell(values), self._cardinality.cost(values))
        self._faults.append(("cardinality", f"more than {self.limit} series; the rest share one"))
        return self._overflow or self._link_overflow(self._new_cell(OVERFLOW))

    @atomic
    def _link(self, values: tuple[str, ...], cell: CellT, cost: int) -> CellT:
        """Make a cell that of the series, unless a signal handler made one meanwhile."""
        if values in self.by_values:
            return self.by_values[values]
        self.by_values[values] = self._unplaced[values] = cell
        self._cardinality.free -= cost
        return cell

    @atomic
    def _link_overflow(self, cell: CellT) -> CellT:
        if self._overflow is not None:
            return self._overflow
        self._overflow = self._unplaced[OVERFLOW] = cell
        return cell

    @atomic
    def _unlink(self, values: tuple[str, ...], cost: int) -> CellT | None:
        """Remove a series, so that every later recording starts a new one."""
        if values not in self.by_values:
            return None
        cell = self.by_values[values]
        cell.writable = False
        del self.by_values[values]
        if values in self._unplaced:
            del self._unplaced[values]
        self._unfreed[values] = None
        self._cardinality.free += cost
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
        cell.numbers = self._allocator.zeros(len(cell.numbers))
        cell.spans = self._spans
        self.youngest_ns = max(self.youngest_ns, cell.start_ns)
        return cell

    def _settle_memory(self) -> None:
        """Free the numbers of removed series, and place the numbers of new ones.

        A series that a signal handler creates or removes meanwhile is left to the interrupted call.
        If the handler raises, the next call continues.
        """
        if self._is_settling:
            return
        self._is_settling = True
        try:
            while self._unfreed or self._unplaced:
                self._free()  # first, because a removed series may exist anew
                self._place()
        finally:
            self._is_settling = False

    def _free(self) -> None:
        for values in list(self._unfreed):
            self._allocator.free(self.instrument, values)
            self._unfreed.pop(values, None)

    def _place(self) -> None:
        for values, cell in list(self._unplaced.items()):
            self._place_one(cell)
            if self._unplaced.get(values) is cell:
                self._unplaced.pop(values, None)
            if self._unfreed:
                return

    def _place_one(self, cell: CellT) -> None:
        try:
            self._allocator.place(self.instrument, cell)
        except InterruptedAllocation:
            pass  # a signal handler interrupted the allocator, which moves the series later
        except OSError as error:  # likewise, as soon as there is memory
            reraise_interruption(error)
            self._faults.append(("allocation", error))

    def _report_faults(self) -> None:
        """Report without the lock: the callback may log, and a log handler may record."""
        faults, self._faults = self._faults, []
        for reason, detail in faults:
            self._on_fault(reason, detail)


def attributes_of(fields: tuple[Label, ...], values: tuple[str, ...]) -> Attributes:
    """Return label values under OpenTelemetry's keys, without empty values.

    Args:
        fields: the labels as declared.
        values: the values of a series in declared order, or `OVERFLOW`.
    """
    if values is OVERFLOW:
        return {OVERFLOW[0]: True}
    pairs = zip(fields, values, strict=True)
    return {field.attribute.key: field.attribute.encode(value) for field, value in pairs if value}
