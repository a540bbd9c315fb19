"""The metrics of a whole service, as seen by one of its workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument
from otel_meta.model.self_metrics import SERIES, SERIES_LIMIT
from otel_meta.runtime.recording.cells import GaugeCell
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import OnFault

from .descriptor import MetricDescriptor, describe
from .directory import fork_guard
from .merged_metric import MergedFamily
from .reader import MappedSeries, Owner, WorkerFile
from .scanner import DirectoryScanner, Scan
from .shared_memory import SharedMemoryAllocator

_SOURCE: Final = "workers"
_SERVICE_GAUGES: Final = (SERIES, SERIES_LIMIT)
"""Computed here for the service. A worker's own values of them are not shown."""


class ServiceView:
    """Every metric declared by a living worker, in the declaration of the newest worker.

    Args:
        local: returns the live instruments of this process.
        allocator: allocator of this process' numbers.
        scanner: scanner of the directory.
        on_fault: called with the source, the reason and the details of each fault.
        max_series: cardinality limit of a metric.
    """

    def __init__(
        self,
        local: Callable[[], Iterable[Family[Any]]],
        allocator: SharedMemoryAllocator,
        scanner: DirectoryScanner,
        on_fault: OnFault,
        max_series: int,
    ) -> None:
        self._local: Final = local
        self._allocator: Final = allocator
        self._scanner: Final = scanner
        self._on_fault: Final = on_fault
        self._max_series: Final = max_series
        self._scan = Scan(None, (), ())
        self._families: dict[MetricDescriptor, MergedFamily] = {}
        self._shown: list[MergedFamily] = []
        self._requested: set[MetricDescriptor] = set()
        self._sizes: Final = Family(SERIES, GaugeCell)
        self._limits: Final = Family(SERIES_LIMIT, GaugeCell)
        self._faults: list[tuple[str, object]] = []
        self._reported: set[str] = set()

    def families(self) -> Iterator[MergedFamily | Family[Any]]:
        """Scan the directory, and return all metrics for a scrape."""
        local = {
            describe(family.instrument, self._max_series): list(family.cells())
            for family in self._declare()
        }
        self.refresh()
        shown = self._shown
        for family in shown:
            family.attach_exemplars(local.get(family.descriptor, ()))
            metric = (family.instrument.prometheus_name,)
            self._sizes.series(metric).set(sum(1 for _ in family.cells()))
            self._limits.series(metric).set(family.descriptor.max_series)
        yield from shown
        yield self._sizes
        yield self._limits

    def _declare(self) -> list[Family[Any]]:
        families = [f for f in self._local() if f.instrument not in _SERVICE_GAUGES]
        try:
            self._allocator.declare(family.instrument for family in families)
        except OSError as error:
            self._faults.append(("allocation", error))
        return families

    def family(self, instrument: Instrument[...]) -> MergedFamily:
        """Return a metric of this process with the series found by the last scan."""
        with fork_guard:
            descriptor = describe(instrument, self._max_series)
            self._requested.add(descriptor)
            known = self._families.get(descriptor)
            if known is None:
                known = self._families[descriptor] = self._merge(descriptor)
        return known

    def owners(self) -> list[Owner]:
        """Return the living workers found by the last scan."""
        return [file.owner for file in self._scan.living if file.owner is not None]

    def refresh(self) -> None:
        """Scan the directory for new series. Values of known series are always current."""
        with fork_guard:
            try:
                scan = self._scanner.scan()
            except Exception as error:
                self._faults.append(("scan", error))
            else:
                self._apply(scan)
            faults = [*self._scanner.take_faults(), *self._faults]
            self._faults = []
        for (
            reason,
            detail,
        ) in faults:  # without the guard: on_fault may record, and lock the directory
            self._on_fault(_SOURCE, reason, detail)

    def _apply(self, scan: Scan) -> None:
        if scan.cache_key == self._scan.cache_key:
            return
        self._scan = scan
        shown = _newest_descriptors(scan)
        wanted = (*shown, *self._requested)
        merged = {metric: self._merge(metric) for metric in wanted if self._is_allowed(metric)}
        self._families = merged
        self._shown = [merged[metric] for metric in shown if metric in merged]

    def _is_allowed(self, descriptor: MetricDescriptor) -> bool:
        try:
            MergedFamily(descriptor)
        except DeclarationError as error:  # of a newer otel_meta, which allows more
            self._report_once(descriptor.name, error)
            return False
        return True

    def _merge(self, descriptor: MetricDescriptor) -> MergedFamily:
        """Return a metric with the series of the last scan."""
        family = self._families.get(descriptor) or MergedFamily(descriptor)
        sources = list(_sources(self._scan, descriptor.name))
        cache_key = tuple((number, file.cache_key, len(series)) for number, file, series in sources)
        if cache_key != family.cache_key:
            family.cache_key = cache_key
            found = [(number, series) for number, _, every in sources for series in every]
            fit = [
                (n, series) for n, series in found if descriptor.is_compatible(series.descriptor)
            ]
            if len(fit) < len(found):
                detail = "other workers or the totals have another kind or unit"
                self._report_once(descriptor.name, detail)
            family.merge(
                [pair for pair in fit if descriptor.survives_worker or pair[0] is not None]
            )
        return family

    def _report_once(self, name: str, detail: object) -> None:
        if name not in self._reported:
            self._reported.add(name)
            self._faults.append(("other version", f"{name}: {detail}"))


def _sources(scan: Scan, name: str) -> Iterator[tuple[int | None, WorkerFile, list[MappedSeries]]]:
    """Iterate over a metric's series by file, with the worker's number, None for dead workers."""
    for file in (*([scan.totals] if scan.totals is not None else ()), *scan.dead):
        surviving = [s for s in file.series.get(name, ()) if s.descriptor.survives_worker]
        if surviving:
            yield None, file, surviving
    for file in scan.living:
        if name in file.series:
            number = file.owner.worker_number if file.owner is not None else 0
            yield number, file, file.series[name]


def _newest_descriptors(scan: Scan) -> list[MetricDescriptor]:
    """Return each metric of living workers in the declaration of the newest worker."""
    hidden = {instrument.name for instrument in _SERVICE_GAUGES} | {""}  # "" is unreadable
    every = (descriptor for file in scan.living for descriptor in file.descriptors)
    by_name = {metric.name: metric for metric in every if metric.name not in hidden}
    return list(by_name.values())
