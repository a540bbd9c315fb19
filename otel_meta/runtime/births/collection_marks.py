"""Two times that decide which series are at zero, and where a process keeps them."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork

_CLOCK_JITTER_NS = 10**9
"""Difference of two collections at the same time that is no change of the clock."""


class Marks(NamedTuple):
    """Times of two collections, in nanoseconds since the epoch; 0 for none."""

    valued_ns: int = 0
    """Series born until then were at zero for long enough, and are shown with their values."""
    zeroed_ns: int = 0
    """Series born until then, and later than ``valued_ns``, are at zero since this collection."""

    def next(self, now_ns: int, hold_ns: int, youngest_ns: int = 0) -> Marks:
        """Return the marks of a collection.

        If the clock was set back, births before and after the change cannot be compared. Every
        known series is then shown with its value, so none returns to zero.

        Args:
            now_ns: the time of the collection.
            hold_ns: how long a series stays at zero, at least.
            youngest_ns: the latest birth that a collection has shown at zero.
        """
        known_ns = max(self.zeroed_ns, youngest_ns)
        if now_ns < known_ns - _CLOCK_JITTER_NS:
            return Marks(known_ns, known_ns)
        if not self.zeroed_ns:
            return Marks(0, now_ns)
        if now_ns < self.zeroed_ns + hold_ns:
            return self
        return Marks(self.zeroed_ns, now_ns)

    def or_later(self, other: Marks) -> Marks:
        """Return the later of each time."""
        return Marks(*map(max, self, other))


class MarkStore(Protocol):
    """Keeps the marks from one collection to the next."""

    def read(self) -> Marks:
        """Return the marks that were kept last."""
        ...

    def keep(self, marks: Marks) -> None:
        """Keep the marks of a collection."""
        ...


class LocalMarks:
    """Marks in memory, for series of one process."""

    def __init__(self) -> None:
        self._marks = Marks()
        self._lock: Final = ForkSafeLock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the collections of the parent: a child has series of its own."""
        self._marks = Marks()

    def read(self) -> Marks:
        """Return the marks that were kept last."""
        return self._marks

    def keep(self, marks: Marks) -> None:
        """Keep the later times, because another thread may have kept marks meanwhile."""
        with self._lock:
            self._marks = self._marks.or_later(marks)
