"""The metrics of a whole service, as seen by one of its workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from typing import Any, Final

from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument
from otel_meta.model.self_metrics import SERIES, SERIES_LIMIT, WORKERS_MISSING
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.cells import GaugeCell
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import OnFault

from .descriptor import MetricDescriptor, describe
from .merged_metric import MergedFamily, Share
from .reader import DESCRIPTOR, MappedSeries, Owner, WorkerFile
from .scan import MISSING_REASONS, MissingReason, Scan
from .scanner import DirectoryScanner
from .shared_memory import SharedMemoryAllocator

SOURCE: Final = "workers"
"""Source of the faults of this package."""
_SCAN_ERRORS: Final = (ArithmeticError, LookupError, OSError, TypeError, ValueError)
"""What a scan can raise. Other exceptions are of a signal handler, such as a time limit."""
_SERVICE_GAUGES: Final = (SERIES, SERIES_LIMIT, WORKERS_MISSING)
"""Computed here for the service. A worker's own values of them are not shown."""


_Source = tuple[int | None, WorkerFile, list[MappedSeries]]
"""A file with a metric's series, and the worker's number, None for a dead worker."""


class ServiceView:
    """Every metric declared by a living worker, in the declaration of the newest worker.

    Args:
        local: returns the live instruments of this process.
        allocator: allocator of this process' numbers.
        scanner: scanner of the directory.
        on_fault: called with the source, the reason and the details of each fault.
        max_series: cardinality limit of a metric.
        of_dead: show metrics that only dead workers declared too: the workers are of one version.
    """

    def __init__(
        self,
        local: Callable[[], Iterable[Family[Any]]],
        allocator: SharedMemoryAllocator,
        scanner: DirectoryScanner,
        on_fault: OnFault,
        max_series: int,
        *,
        of_dead: bool = False,
    ) -> None:
        self._local: Final = local
        self._allocator: Final = allocator
        self._scanner: Final = scanner
        self._on_fault: Final = on_fault
        self._max_series: Final = max_series
        self._of_dead: Final = of_dead
        self._lock: Final = ForkSafeLock()
        self._requested: set[MetricDescriptor] = set()
        self._sizes: Final = Family(SERIES, GaugeCell)
        self._limits: Final = Family(SERIES_LIMIT, GaugeCell)
        self._missing: Final = Family(WORKERS_MISSING, GaugeCell)
        self._faults: list[tuple[str, object]] = []
        self._reported: set[str] = set()
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the last scan in a forked child: a thread of the parent may have been using it."""
        self._scan = Scan()
        self._is_scan_current = True
        self._families: dict[MetricDescriptor, MergedFamily] = {}
        self._shown: list[MergedFamily] = []
        self._is_page_current = True
        for family in (self._sizes, self._limits, self._missing):
            family.after_fork()

    def families(self) -> Iterator[MergedFamily | Family[Any]]:
        """Scan the directory, and return all metrics for a scrape."""
        local = {
            describe(family.instrument, self._max_series): list(family.cells())
            for family in self._declare()
        }
        self._refresh(for_page=True)
        shown = [*self._shown, *self._undeclared(local)]
        for family in shown:
            family.attach_exemplars(local.get(family.descriptor, ()))
            metric = (family.instrument.prometheus_name,)
            self._sizes.series(metric).set(len(list(family.cells())))
            self._limits.series(metric).set(family.descriptor.max_series)
        for reason in MISSING_REASONS:
            self._missing.series((reason,)).set(self._count_missing(reason))
        yield from shown
        yield from (self._sizes, self._limits, self._missing)

    def _undeclared(self, local: Iterable[MetricDescriptor]) -> list[MergedFamily]:
        """Return the metrics of this process that it could not declare in a file."""
        shown = {family.descriptor.name for family in self._shown}
        return [self._family(metric) for metric in local if metric.name not in shown]

    def _count_missing(self, reason: MissingReason) -> int:
        match reason:
            case "scan":
                return int(not self._is_scan_current)
            case "private":  # other processes count this process by its note
                is_unnoted = self._allocator.is_private and not self._allocator.is_noted
                return self._scan.missing.get(reason, 0) + is_unnoted
            case _:
                return self._scan.missing.get(reason, 0)

    def _declare(self) -> list[Family[Any]]:
        families = [f for f in self._local() if f.instrument not in _SERVICE_GAUGES]
        try:
            self._allocator.declare(family.instrument for family in families)
        except OSError as error:
            reraise_interruption(error)
            self._faults.append(("allocation", error))
        return families

    def family(self, instrument: Instrument[...]) -> MergedFamily:
        """Return a metric of this process with the series found by the last scan."""
        return self._family(describe(instrument, self._max_series))

    def _family(self, descriptor: MetricDescriptor) -> MergedFamily:
        with self._lock:
            self._requested.add(descriptor)
            known = self._families.get(descriptor)
            if known is None:
                known = self._families[descriptor] = self._merge(descriptor)
        return known

    def owners(self) -> list[Owner]:
        """Return the living workers found by the last scan, with their numbers."""
        numbered = self._scan.numbered()
        return [replace(f.owner, worker_number=n) for n, f in numbered if f.owner is not None]

    def origins(self) -> frozenset[str]:
        """Return the names of the last scan's totals; totals that begin anew have others."""
        totals = self._scan.totals
        return frozenset(() if totals is None or totals.owner is None else totals.owner.origins)

    def refresh(self) -> None:
        """Scan the directory for new series of the metrics that `family` has returned.

        Values of known series are always current.
        """
        self._refresh(for_page=False)

    def _refresh(self, *, for_page: bool) -> None:
        self._allocator.settle()
        with self._lock:
            try:
                scan = self._scanner.scan()
            except _SCAN_ERRORS as error:
                reraise_interruption(error)
                self._is_scan_current = False
                self._faults.append(("scan", error))
            else:
                self._is_scan_current = True
                self._apply(scan)
            if for_page:
                self._update_page()
            found = (self._scanner.take_faults(), self._allocator.take_faults(), self._faults)
            faults = list(chain.from_iterable(found))
            self._faults = []
        # Without the lock: on_fault may record, and a log handler may scrape.
        for reason, detail in faults:
            self._on_fault(SOURCE, reason, detail)

    def _apply(self, scan: Scan) -> None:
        is_unchanged = scan.cache_key == self._scan.cache_key
        self._scan = scan
        if not is_unchanged:
            self._is_page_current = False
            self._families.update(self._merge_all(self._requested))

    def _update_page(self) -> None:
        """Merge the metrics of the page, unless no series has changed since the last page."""
        if self._is_page_current:
            return
        shown = _newest_descriptors(self._scan.files if self._of_dead else self._scan.living)
        merged = self._families = self._merge_all((*shown, *self._requested))
        self._shown = [merged[metric] for metric in shown if metric in merged]
        self._is_page_current = True

    def _merge_all(
        self, metrics: Iterable[MetricDescriptor]
    ) -> dict[MetricDescriptor, MergedFamily]:
        return {metric: self._merge(metric) for metric in metrics if self._is_allowed(metric)}

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
            family.merge(self._compatible(descriptor, sources))
        return family

    def _compatible(
        self, descriptor: MetricDescriptor, sources: Iterable[_Source]
    ) -> Iterator[Share]:
        """Yield the series of each declaration, and report those of another kind or unit.

        Nothing is collected in lists: many new objects cause full garbage collections, and each of
        these holds the GIL.
        """
        for number, _, every in sources:
            for declared, series in groupby(every, DESCRIPTOR):
                if not descriptor.is_compatible(declared):
                    detail = "other workers or the totals have another kind or unit"
                    self._report_once(descriptor.name, detail)
                elif number is not None or descriptor.survives_worker:
                    yield Share(number, declared, series)

    def _report_once(self, name: str, detail: object) -> None:
        if name not in self._reported:
            self._reported.add(name)
            self._faults.append(("other version", f"{name}: {detail}"))


def _sources(scan: Scan, name: str) -> Iterator[_Source]:
    """Iterate over a metric's series by file, with the worker's number, None for dead workers."""
    for file in (*([scan.totals] if scan.totals is not None else ()), *scan.dead):
        surviving = [s for s in file.series.get(name, ()) if s.descriptor.survives_worker]
        if surviving:
            yield None, file, surviving
    for number, file in scan.numbered():
        if name in file.series:
            yield number, file, file.series[name]


def _newest_descriptors(files: Iterable[WorkerFile]) -> list[MetricDescriptor]:
    """Return each metric of some workers in the declaration of the newest worker."""
    hidden = {instrument.name for instrument in _SERVICE_GAUGES} | {""}  # "" is unreadable
    every = (descriptor for file in files for descriptor in file.descriptors)
    by_name = {metric.name: metric for metric in every if metric.name not in hidden}
    return list(by_name.values())
