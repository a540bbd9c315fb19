"""Families of a collection in which new series are at zero."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from otel_meta.model import Instrument

from .collection_marks import LocalMarks, Marks, MarkStore

SCRAPE_HOLD: Final = 0.98
"""Share of the scrape interval for which a scraped page shows a series at zero.

A little less than one, so that the next scrape of the same server has the value.
"""

PUSH_HOLD: Final = 1.1
"""The same for pushed metrics, which a server may scrape from a Collector.

A little more than one, so that a scrape of the Collector falls into this time.
"""

WINDOW: Final = 300.0
"""Greatest age in seconds of a series that the first collection after its birth shows at zero.

It is the time for which a new process may be unknown to a server. The events of an older series
are not counted, as if there were no zero: a server would take those of an hour for a burst.
"""

_LISTING_NS: Final = 100_000_000
"""A series may appear this much later than its start says."""


class FamilyLike(Protocol):
    """The series of an instrument, of this process or of all workers of a service."""

    @property
    def instrument(self) -> Instrument[...]:
        """The declaration."""
        ...

    def cells(self) -> Iterable[Any]:
        """Return the cells of all series."""
        ...


class LiveFamily(FamilyLike, Protocol):
    """A family whose series have a start."""

    @property
    def youngest_ns(self) -> int:
        """The latest start of a series, or a later time."""
        ...

    def at_zero(self, cell: Any) -> Any:
        """Return a cell that looks as the given one did at its start."""
        ...


class ShownFamily:
    """A family of which a collection shows the series that were born until a time.

    Args:
        family: the family.
        valued_ns: the time, in nanoseconds since the epoch.
        note_birth: see `Collection`.
    """

    __slots__ = ("_family", "_note_birth", "_valued_ns", "instrument")

    def __init__(
        self, family: LiveFamily, valued_ns: int, note_birth: Callable[[int], None]
    ) -> None:
        self._family: Final = family
        self._valued_ns: Final = valued_ns
        self._note_birth: Final = note_birth
        self.instrument: Final = family.instrument

    def cells(self) -> Iterable[Any]:
        """Return all cells; later ones of a counter or a histogram are at zero.

        A cell at zero is made when the iteration comes to it, so that few live together.
        """
        family, valued_ns = self._family, self._valued_ns
        cells = family.cells()  # first, because the listing may create series
        if family.youngest_ns <= valued_ns or not self.instrument.traits.counts_events:
            return cells
        self._note_birth(family.youngest_ns)
        return (cell if cell.start_ns <= valued_ns else family.at_zero(cell) for cell in cells)


class Collection(NamedTuple):
    """A scrape or a push."""

    valued_ns: int
    """It has the values of series that were born until this time."""
    marks: Marks
    """Kept if the collection is delivered."""
    note_birth: Callable[[int], None]
    """Called with the latest birth in a family that may have series at zero."""

    def shown(self, family: LiveFamily) -> ShownFamily:
        """Return a family as the collection shows it."""
        return ShownFamily(family, self.valued_ns, self.note_birth)


class ZeroFirst:
    """The collections of one reader: a page of metrics, or a push exporter.

    Args:
        hold: seconds for which a series stays at zero, at least.
        window: see `WINDOW`.
        store: keeps the marks; in memory by default.
        clock_ns: wall clock in nanoseconds since the epoch, as of the starts of series.
    """

    def __init__(
        self,
        hold: float,
        window: float = WINDOW,
        store: MarkStore | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._hold_ns: Final = round(hold * 1e9)
        self._window_ns: Final = round(max(window, hold) * 1e9)
        self._store: Final = LocalMarks() if store is None else store
        self._clock_ns: Final = clock_ns
        self._youngest_ns = 0
        """The latest birth at zero; if it is in the future, the clock was set back."""

    def begin(self) -> Collection:
        """Begin a collection, before its series are listed."""
        now_ns = self._clock_ns() - _LISTING_NS
        marks = self._store.read().next(now_ns, self._hold_ns, self._youngest_ns)
        valued_ns = max(marks.valued_ns, marks.zeroed_ns - self._window_ns)
        return Collection(valued_ns, marks, self._note_birth)

    def begin_last(self) -> Collection:
        """Begin a collection with the value of every series, because no other may follow."""
        now_ns = max(self._clock_ns(), self._youngest_ns)
        marks = Marks(now_ns, now_ns)
        self._store.keep(marks)  # although the delivery may fail: the server may have the values
        return Collection(now_ns, marks, self._note_birth)

    def scrape(self) -> Collection:
        """Begin a collection whose delivery nobody confirms."""
        collection = self.begin()
        self.delivered(collection)
        return collection

    def delivered(self, collection: Collection) -> None:
        """Count a collection, which a server has received."""
        self._store.keep(collection.marks)

    def _note_birth(self, start_ns: int) -> None:
        self._youngest_ns = max(self._youngest_ns, start_ns)
