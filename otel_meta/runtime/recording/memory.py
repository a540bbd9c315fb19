"""Allocation of the numbers of a series, in the heap of the process or in shared memory.

The numbers of a cell are a sequence of floats from an allocator: a list in the heap, because
CPython reads and stores the items of a list several times as fast as those of a buffer, or a buffer
of doubles that other processes map. The kind of the instrument decides on the layout:

- a sum: ``[value]``;
- a gauge: ``[value, set at]``, in seconds since the epoch, 0.0 before the first value;
- a histogram: ``[count of each bucket ..., count of the unbounded bucket, sum]``.

A series without recordings has zeros only.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, MutableSequence
from typing import Protocol

from otel_meta.model import Instrument

from .native.native_core import NATIVE


class InterruptedAllocation(BlockingIOError):
    """A signal handler or finalizer interrupted an allocation, and cannot allocate meanwhile."""


class Placeable(Protocol):
    """A series whose numbers can move, as `cells.Cell`."""

    labels: tuple[str, ...]
    numbers: MutableSequence[float]
    start_ns: int

    def move(self, numbers: MutableSequence[float]) -> None:
        """Continue in other memory without the loss of a recording, unless the series ended."""
        ...


class Allocator(Protocol):
    """Places the numbers of new series, and frees the numbers of removed series."""

    def zeros(self, width: int) -> MutableSequence[float]:
        """Return ``width`` zeros, which a new series uses until `place` moves it.

        If `place` moves series to a buffer, the zeros must be a buffer too: no single instruction
        of CPython copies the items of a list to a buffer (see `atomic`).
        """
        ...

    def place(self, instrument: Instrument[...], series: Placeable) -> None:
        """Move the numbers of a new series from the heap to their memory.

        A signal handler may raise before the return. The call is then repeated.

        Raises:
            InterruptedAllocation: the caller interrupted an allocation; the series moves later.
            OSError: no memory is available; until it is, the series uses the heap.
        """
        ...

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Free the numbers of a removed series, into which nothing is written any more."""


class HeapAllocator:
    """Leaves the numbers of series in the heap of this process."""

    def zeros(self, width: int) -> MutableSequence[float]:
        """Return zeros in the fastest memory of the core that records."""
        return heap_zeros(width)

    def place(self, instrument: Instrument[...], series: Placeable) -> None:
        """Do nothing: the numbers of a new series are in the heap."""

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Do nothing: Python frees unused memory."""


def heap_zeros(width: int) -> MutableSequence[float]:
    """Return a list of zeros for the updates in Python, a buffer for those in C."""
    return [0.0] * width if NATIVE is None else zeros(width)


def heap_copy(numbers: Iterable[float]) -> MutableSequence[float]:
    """Return a copy of numbers in the same memory as `heap_zeros`."""
    return list(numbers) if NATIVE is None else array("d", numbers)


def zeros(width: int) -> MutableSequence[float]:
    """Return a buffer of ``width`` zeros in the heap of this process."""
    return array("d", (0.0,)) * width  # an array made by repetition has no spare capacity
