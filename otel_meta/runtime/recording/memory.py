"""Allocation of the numbers of a series, in the heap of the process or in shared memory.

The numbers of a cell are a sequence of doubles from an allocator. The kind of the instrument
decides on the layout:

- a sum: ``[value]``;
- a gauge: ``[value, set at]``, in seconds since the epoch, 0.0 before the first value;
- a histogram: ``[count of each bucket ..., count of the unbounded bucket, sum]``.

A series without recordings has zeros only.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence
from typing import Protocol

from otel_meta.model import Instrument


class InterruptedAllocation(BlockingIOError):
    """A signal handler or finalizer interrupted an allocation, and cannot allocate meanwhile."""


class Allocator(Protocol):
    """Allocates the numbers of new series, and frees the numbers of removed series."""

    def allocate(
        self, instrument: Instrument[...], labels: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """Return ``width`` zeros for the series with these label values in declared order.

        Raises:
            InterruptedAllocation: the caller interrupted an allocation of the same thread.
            OSError: no memory is left; the series uses the heap until a later attempt succeeds.
        """
        ...

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Free the numbers of a removed series, into which nothing is written any more."""


class HeapAllocator:
    """Allocates numbers in the heap of this process."""

    def allocate(
        self,
        instrument: Instrument[...],  # noqa: ARG002 - all series share one heap
        labels: tuple[str, ...],  # noqa: ARG002 - likewise
        width: int,
    ) -> MutableSequence[float]:
        """Return ``width`` zeros."""
        return zeros(width)

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Do nothing: Python frees unused memory."""


def zeros(width: int) -> MutableSequence[float]:
    """Return ``width`` zeros in the heap of this process."""
    return array("d", (0.0,)) * width  # an array made by repetition has no spare capacity
