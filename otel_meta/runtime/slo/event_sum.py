"""A sum over counting series that never decreases: events that were counted stay counted.

A series that is removed or starts again at zero keeps its share, as in PromQL's ``increase()``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

_SAME_START: Final = 1000
"""Nanoseconds between two starts of the same series: workers store the start as a float."""
_MAX_MISSING: Final = 2000
"""Series that are remembered while they are missing, such as those in an unreadable file."""


class SeriesCount(NamedTuple):
    """The events of one series since it started."""

    labels: tuple[str, ...]
    start_ns: int
    events: float


class Tally(NamedTuple):
    """The events of some series."""

    ever: float
    """With those of series that were removed or started again."""
    present: float
    """Of the series that there are; every process that reads the series finds the same number."""


class EventSum:
    """The events of all series so far."""

    def __init__(self) -> None:
        self._known: Final[dict[tuple[str, ...], SeriesCount]] = {}
        self._ended = 0.0

    def update(self, series: Iterable[SeriesCount]) -> Tally:
        """Return the sums with the current events of each series."""
        current = {each.labels: each for each in series}
        for labels, count in current.items():
            known = self._known.get(labels)
            if known is not None and _has_restarted(known, count):
                self._ended += known.events
            self._known[labels] = count
        if len(self._known) > len(current) + _MAX_MISSING:
            for labels in self._known.keys() - current.keys():
                self._ended += self._known.pop(labels).events
        ever = self._ended + sum(count.events for count in self._known.values())
        return Tally(ever, sum(count.events for count in current.values()))


def _has_restarted(known: SeriesCount, count: SeriesCount) -> bool:
    return count.events < known.events or count.start_ns > known.start_ns + _SAME_START
