"""Where the numbers of a series live: in this process' own memory, or in memory that workers share.

A cell keeps its numbers in a sequence of doubles that it is handed, laid out by kind:

- a sum: ``[value]``;
- a gauge: ``[value, set at]``, in Unix seconds, 0.0 where it was never set;
- a histogram: ``[count of each bucket ..., count of the unbounded one, sum]``.

All zero is a series in which nothing was recorded.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence
from typing import Protocol

from otel_meta.model import Instrument


class Allocator(Protocol):
    """Hands out numbers, and takes them back when a series is removed."""

    def take(
        self, instrument: Instrument[...], labels: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """So many doubles for the series with these label values in declared order, all zero.

        Raises:
            OSError: there is no place left; the series then lives in private memory.
        """
        ...

    def release(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Take back the numbers of a series that was removed; nothing writes to them any more."""


class HeapAllocator:
    """Slots in this process' own memory."""

    def take(
        self,
        instrument: Instrument[...],  # noqa: ARG002 - whichever series they are for
        labels: tuple[str, ...],  # noqa: ARG002 - likewise
        width: int,
    ) -> MutableSequence[float]:
        """So many doubles, all zero."""
        return zeros(width)

    def release(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Nothing to do: unused memory frees itself."""


def zeros(width: int) -> MutableSequence[float]:
    """So many doubles of this process' own, all zero."""
    return array("d", (0.0,)) * width  # repeated, it has no spare room
