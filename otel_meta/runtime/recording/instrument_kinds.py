"""How a process records, keeps, merges and exports each kind of instrument.

One row a kind. The modules that record, export and merge read the row, and branch on its fields
with an exhaustive `match`, so that a type checker reports a value that a module does not handle.
The facts that need no running process are in `otel_meta.model.kind_traits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

from opentelemetry.sdk.metrics import Counter, Histogram, UpDownCounter

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
"""How one series is made of the series of several workers.

- "sum": the sum over all workers, with those that ended;
- "live_sum": the sum over the workers that live;
- "multiprocess_mode": as the instrument declares.
"""

_ALL: Final = slice(None)
_NONE: Final = slice(0)
_ALL_BUT_LAST: Final = slice(-1)


@dataclass(frozen=True, kw_only=True)
class InstrumentKind:
    """One kind of instrument.

    Args:
        cell: the class that holds a series; ``cell.width(bounds)`` is how many numbers it needs.
        recorder: makes the live instrument of a family.
        merge: how the series of several workers become one.
        non_negative: which numbers of a series can never be negative; others are damaged.
        sdk_class: the SDK's instrument with the same temporality; None for a gauge, which has none.
    """

    cell: type[Cell]
    recorder: Callable[[Family[Any], Faults], Recorder[Any]]
    merge: WorkerMerge
    non_negative: slice
    sdk_class: type | None


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
        sdk_class=Counter,
    ),
    "histogram": InstrumentKind(
        cell=HistogramCell,
        recorder=HistogramRecorder,
        merge="sum",
        non_negative=_ALL_BUT_LAST,  # the last number is the sum of the values
        sdk_class=Histogram,
    ),
    "gauge": InstrumentKind(
        cell=GaugeCell,
        recorder=GaugeRecorder,
        merge="multiprocess_mode",
        non_negative=_NONE,
        sdk_class=None,
    ),
    "updowncounter": InstrumentKind(
        cell=SumCell,
        recorder=UpDownCounterRecorder,
        merge="live_sum",
        non_negative=_NONE,
        sdk_class=UpDownCounter,
    ),
}
"""The row of every kind. A type checker reports a kind that has no row."""
