"""Handles on single series, for hot loops: the labels are settled once, and nothing is looked up.

A handle stands for its labels, not for the cell that it found: when the series was removed, or the
process forked, the next recording begins the series anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Self

from .cells import BucketCell, LatestCell, SumCell
from .family import CellT
from .timer import Timer

if TYPE_CHECKING:
    from .live_instruments import HistogramRecorder, Recorder


class Bound(Generic[CellT]):
    """What the handles share."""

    __slots__ = ("_cell", "_labels", "_recorder")

    def __init__(self, recorder: Recorder[CellT], labels: Mapping[str, Any]) -> None:
        self._recorder = recorder
        self._labels = labels
        self._cell: Any = recorder.find(labels)

    def bind(self) -> Self:
        """This handle."""
        return self

    def remove(self) -> None:
        """End the series."""
        self._recorder.remove(**self._labels)

    def _again(self, value: Any) -> None:
        self._cell = self._recorder.again(value, (), self._labels) or self._cell


class BoundSum(Bound[SumCell]):
    """Adds to one series."""

    __slots__ = ()

    def add(self, amount: float, /) -> None:
        """Add to the series."""
        try:
            self._cell.add(amount)
        except Exception:
            self._again(amount)


class BoundGauge(Bound[LatestCell]):
    """Sets one series."""

    __slots__ = ()

    def set(self, value: float, /) -> None:
        """Replace the value of the series."""
        try:
            self._cell.set(value)
        except Exception:
            self._again(value)


class BoundHistogram(Bound[BucketCell]):
    """Records into one series."""

    __slots__ = ()

    _recorder: HistogramRecorder

    def record(self, value: float, /) -> None:
        """Count a value in the series."""
        try:
            self._cell.record(value)
        except Exception:
            self._again(value)

    def time(self) -> Timer:
        """Record how long a block or a function takes."""
        return self._recorder.time(**self._labels)
