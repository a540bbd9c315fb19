"""Recording, storage and merging of each kind of instrument.

One row for each kind. The modules that record and merge read the row, and branch on its
fields with an exhaustive `match`: a type checker reports values without a branch.
Facts from the data models are in `otel_meta.model.kind_traits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

from .cells import Cell, CounterCell, GaugeCell, HistogramCell, SumCell
from .family import Family
from .faults import Faults
from .live_instruments import (
    CounterRecorder,
    GaugeRecorder,
    HistogramRecorder,
    Recorder,
    UpDownCounterRecorder,
)

WorkerMerge = Literal["sum", "live_sum", "multiprocess_mode"]
"""The way to merge one series over several workers.

- "sum": the sum over all workers, including ended ones;
- "live_sum": the sum over the running workers;
- "multiprocess_mode": as the instrument declares.
"""

_ALL: Final = slice(None)
_NONE: Final = slice(0)
_ALL_BUT_LAST: Final = slice(-1)


@dataclass(frozen=True, kw_only=True)
class InstrumentKind:
    """One kind of instrument.

    Args:
        cell: the class of a series; ``cell.width(bounds)`` is the number of its doubles.
        recorder: makes the live instrument of a family.
        merge: the way to merge a series over several workers.
        non_negative: the numbers of a series in which a negative value is damage.
    """

    cell: type[Cell]
    recorder: Callable[[Family[Any], Faults], Recorder[Any]]
    merge: WorkerMerge
    non_negative: slice


class _KindTable(TypedDict):
    counter: InstrumentKind
    histogram: InstrumentKind
    gauge: InstrumentKind
    updowncounter: InstrumentKind


INSTRUMENT_KINDS: Final[_KindTable] = {
    "counter": InstrumentKind(
        cell=CounterCell,
        recorder=CounterRecorder,
        merge="sum",
        non_negative=_ALL,
    ),
    "histogram": InstrumentKind(
        cell=HistogramCell,
        recorder=HistogramRecorder,
        merge="sum",
        non_negative=_ALL_BUT_LAST,  # the last number is the sum of the values
    ),
    "gauge": InstrumentKind(
        cell=GaugeCell,
        recorder=GaugeRecorder,
        merge="multiprocess_mode",
        non_negative=_NONE,
    ),
    "updowncounter": InstrumentKind(
        cell=SumCell,
        recorder=UpDownCounterRecorder,
        merge="live_sum",
        non_negative=_NONE,
    ),
}
"""The row of every kind. A type checker reports a kind that has no row."""
