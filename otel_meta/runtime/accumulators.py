"""Every instrument that is live in a process, and the series that each one has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import Lock
from typing import Any, Final

from otel_meta.model import Counter, Gauge, Histogram, Instrument, UpDownCounter

from .cells import BucketCell, LatestCell, SumCell
from .family import Family
from .faults import Faults
from .recorders import (
    CounterRecorder,
    GaugeRecorder,
    HistogramRecorder,
    Recorder,
    UpDownCounterRecorder,
)

Live = tuple[Family[Any], Recorder[Any]]


class Accumulators:
    """Live instruments, each with its series; binding one again gives the same one."""

    def __init__(self, faults: Faults) -> None:
        self.faults: Final = faults
        self._live: dict[Instrument[...], Live] = {}
        self._lock: Final = Lock()

    def recorder(self, instrument: Instrument[...]) -> Recorder[Any]:
        """The live half of an instrument, made when first asked for."""
        return self._of(instrument)[1]

    def family(self, instrument: Instrument[...]) -> Family[Any]:
        """The series of an instrument."""
        return self._of(instrument)[0]

    def families(self) -> Iterator[Family[Any]]:
        """Every live instrument's series, those of otel_meta itself last."""
        with self._lock:
            live = list(self._live.values())
        yield from (family for family, _ in live)
        yield self.faults.family

    def _of(self, instrument: Instrument[...]) -> Live:
        with self._lock:
            live = self._live.get(instrument)
            if live is None:
                live = self._live[instrument] = self._make(instrument)
            return live

    def _make(self, instrument: Instrument[...]) -> Live:
        on_fault = partial(self.faults.report, instrument.prometheus_name)
        match instrument:
            case Counter():
                sums = Family(instrument, SumCell, on_fault=on_fault)
                return sums, CounterRecorder(sums, self.faults)
            case UpDownCounter():
                sums = Family(instrument, SumCell, on_fault=on_fault)
                return sums, UpDownCounterRecorder(sums, self.faults)
            case Gauge():
                latest = Family(instrument, LatestCell, on_fault=on_fault)
                return latest, GaugeRecorder(latest, self.faults)
            case Histogram():
                make = partial(BucketCell, bounds=instrument.buckets)
                buckets = Family(instrument, make, on_fault=on_fault)
                return buckets, HistogramRecorder(buckets, self.faults)
            case _:
                raise TypeError(f"{instrument!r} is of no kind that can be recorded")
