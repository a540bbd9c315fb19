"""Every instrument that is live in a process, and the series that each one has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import RLock
from typing import Any, Final

from otel_meta.model import Instrument
from otel_meta.model.self_metrics import SERIES, SERIES_LIMIT
from otel_meta.runtime.fork import reset_after_fork

from .cardinality import MAX_SERIES
from .cells import GaugeCell
from .exemplars import SampledSpans
from .family import Family
from .faults import Faults
from .instrument_kinds import INSTRUMENT_KINDS
from .label_values import MAX_LENGTH
from .live_instruments import Recorder
from .memory import Allocator

Live = tuple[Family[Any], Recorder[Any]]


class MetricStorage:
    """Live instruments, each with its series; binding one again gives the same one.

    In a forked child all series begin anew: what the parent counted is the parent's to tell.

    Args:
        faults: who counts what goes wrong.
        slots: hand out the numbers of series; by default, from private memory.
        max_series: how many a metric may have, unless it says so itself.
        max_length: characters that a label value may have.
    """

    def __init__(
        self,
        faults: Faults,
        slots: Allocator | None = None,
        *,
        max_series: int = MAX_SERIES,
        max_length: int = MAX_LENGTH,
    ) -> None:
        self.faults: Final = faults
        self.spans: Final = SampledSpans()
        """Finds exemplars, once it is made a processor of spans."""
        self._options: Final[dict[str, Any]] = {
            "slots": slots,
            "limit": max_series,
            "max_length": max_length,
            "spans": self.spans,
        }
        self._sizes: Final = Family(SERIES, GaugeCell)
        self._limits: Final = Family(SERIES_LIMIT, GaugeCell)
        self._live: dict[Instrument[...], Live] = {}
        self._lock = RLock()
        reset_after_fork(self)

    def recorder(self, instrument: Instrument[...]) -> Recorder[Any]:
        """The live half of an instrument, made when first asked for."""
        return self._of(instrument)[1]

    def family(self, instrument: Instrument[...]) -> Family[Any]:
        """The series of an instrument."""
        return self._of(instrument)[0]

    def families(self) -> Iterator[Family[Any]]:
        """Every live instrument's series for a collection, those of otel_meta itself last."""
        self.spans.collected()
        for family in (families := self._families()):
            metric = (family.instrument.prometheus_name,)
            self._sizes.series(metric).set(sum(1 for _ in family.cells()))
            self._limits.series(metric).set(family.limit)
        yield from (*families, self._sizes, self._limits, self.faults.family)

    def after_fork(self) -> None:
        """Begin as in a new process. In a forked child, where no other thread is left."""
        self._lock = RLock()
        self.spans.after_fork()
        self.faults.after_fork()
        for family in (*self._families(), self._sizes, self._limits):
            family.after_fork()

    def _families(self) -> list[Family[Any]]:
        with self._lock:
            return [family for family, _ in self._live.values()]

    def refresh(self) -> None:
        """Nothing to do: the series are those of now."""

    def _of(self, instrument: Instrument[...]) -> Live:
        with self._lock:
            live = self._live.get(instrument)
            if live is None:
                live = self._live[instrument] = self._make(instrument)
            return live

    def _make(self, instrument: Instrument[...]) -> Live:
        if not hasattr(instrument, "kind"):
            raise TypeError(f"{instrument!r} is of no kind that can be recorded")
        on_fault = partial(self.faults.report, instrument.prometheus_name)
        kind = INSTRUMENT_KINDS[instrument.kind]
        make_cell = partial(kind.cell, bounds=instrument.buckets)
        family: Family[Any] = Family(instrument, make_cell, on_fault=on_fault, **self._options)
        return family, kind.recorder(family, self.faults)
