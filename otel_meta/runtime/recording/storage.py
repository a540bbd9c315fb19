"""All live instruments of a process with their series."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, ParamSpec, overload

from otel_meta.model import Counter, Gauge, Histogram, Instrument, UpDownCounter
from otel_meta.model.live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from otel_meta.model.self_metrics import SERIES, SERIES_LIMIT
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork

from .cardinality import MAX_SERIES
from .cells import GaugeCell
from .exemplars import SampledSpans
from .family import Family
from .faults import Faults
from .instrument_kinds import INSTRUMENT_KINDS
from .label_values import MAX_LENGTH
from .live_instruments import Recorder
from .memory import Allocator

P = ParamSpec("P")
_LiveInstrument = tuple[Family[Any], Recorder[Any]]


class MetricStorage:
    """The live instruments with their series; each instrument has one set of series.

    In a forked child all series start at zero, because the parent still exports the old counts.

    Args:
        faults: counts the faults of recordings.
        allocator: allocates the numbers of series; the heap by default.
        max_series: the default cardinality limit of a metric.
        max_length: the maximal length of a label value, in characters.
    """

    def __init__(
        self,
        faults: Faults,
        allocator: Allocator | None = None,
        *,
        max_series: int = MAX_SERIES,
        max_length: int = MAX_LENGTH,
    ) -> None:
        self.faults: Final = faults
        self.spans: Final = SampledSpans()
        """The source of exemplars, once registered as a span processor."""
        self._options: Final[dict[str, Any]] = {
            "allocator": allocator,
            "limit": max_series,
            "max_length": max_length,
            "spans": self.spans,
        }
        self._series_counts: Final = Family(SERIES, GaugeCell)
        self._series_limits: Final = Family(SERIES_LIMIT, GaugeCell)
        self._live: dict[Instrument[...], _LiveInstrument] = {}
        """Shared by equal declarations, as of a module that was imported twice."""
        self._lock: Final = ForkSafeLock()
        reset_after_fork(self)

    @overload
    def recorder(self, instrument: Counter[P]) -> LiveCounter[P]: ...
    @overload
    def recorder(self, instrument: UpDownCounter[P]) -> LiveUpDownCounter[P]: ...
    @overload
    def recorder(self, instrument: Gauge[P]) -> LiveGauge[P]: ...
    @overload
    def recorder(self, instrument: Histogram[P]) -> LiveHistogram[P]: ...
    @overload
    def recorder(self, instrument: Instrument[...]) -> object: ...
    def recorder(self, instrument: Any) -> Any:
        """Return the live instrument of a declaration, the same for every call.

        Raises:
            TypeError: the instrument has no kind.
        """
        return self._find(instrument)[1]

    def family(self, instrument: Instrument[...]) -> Family[Any]:
        """Return the series of an instrument."""
        return self._find(instrument)[0]

    def families(self) -> Iterator[Family[Any]]:
        """Begin a collection; yield the series of each instrument, otel_meta's metrics last."""
        self.spans.begin_collection()
        for family in (families := self._families()):
            metric = (family.instrument.prometheus_name,)
            self._series_counts.series(metric).set(len(list(family.cells())))
            self._series_limits.series(metric).set(family.limit)
        yield from (*families, self._series_counts, self._series_limits, self.faults.family)

    def has_recordings(self) -> bool:
        """Return True if any metric was recorded in this process."""
        cells = (cell for family in self._families() for cell in list(family.by_values.values()))
        return any(any(cell.numbers) for cell in cells)

    def after_fork(self) -> None:
        """Reset all series in a forked child, in which no other thread runs."""
        self.faults.after_fork()
        for family in (*self._families(), self._series_counts, self._series_limits):
            family.after_fork()

    def _families(self) -> list[Family[Any]]:
        with self._lock:
            return [family for family, _ in self._live.values()]

    def refresh(self) -> None:
        """Do nothing: the series of one process are always up to date."""

    def _find(self, instrument: Instrument[...]) -> _LiveInstrument:
        with self._lock:
            live = self._live.get(instrument)
            if live is None:
                live = self._live[instrument] = self._create(instrument)
            return live

    def _create(self, instrument: Instrument[...]) -> _LiveInstrument:
        if not hasattr(instrument, "kind"):
            raise TypeError(f"{instrument!r} is of no kind that can be recorded")
        on_fault = partial(self.faults.report, instrument.prometheus_name)
        kind = INSTRUMENT_KINDS[instrument.kind]
        make_cell = partial(kind.cell, bounds=instrument.counted_bounds)
        family: Family[Any] = Family(instrument, make_cell, on_fault=on_fault, **self._options)
        return family, kind.recorder(family, self.faults)
