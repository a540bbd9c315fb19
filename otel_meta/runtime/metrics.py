"""The metrics signal: our series and the SDK's instruments, pushed to exporters or scraped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from threading import local
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider, MetricsTimeoutError
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from otel_meta.errors import PortInUse
from otel_meta.extras import ExtraImports
from otel_meta.model.self_metrics import UP, UP_DESCRIPTION

from .births.collection_marks import MarkStore
from .births.zero_first import PUSH_HOLD, SCRAPE_HOLD, WINDOW, ZeroFirst
from .export.delivery import DeliveryMonitor
from .export.early_push import INTERVAL as EARLY_INTERVAL
from .export.early_push import EarlyPush
from .export.exporters import create_exporter, is_pushed, temporality_preference
from .export.job_deltas import JobDeltas
from .export.periodic import Ticker
from .export.point_counts import SCOPE
from .export.producer import MetricProducer
from .fork import ForkSafeLock, is_forked
from .jobs.job_directory import JobDirectory, JobStorage
from .lifecycle.child_process import is_multiprocessing_child
from .lifecycle.foreign_providers import NO_PROVIDERS, ForeignProviders
from .lifecycle.sdk_locks import SdkLocks
from .multiprocess.service_view import ServiceView
from .multiprocess.workers import Workers
from .recording.storage import MetricStorage
from .resource import IDENTITY, JobResource, service_resource
from .settings import Settings

if TYPE_CHECKING:
    from .prometheus.scrape import Scrape
    from .prometheus.server import MetricsServer


_MOMENT: Final = 0.1
"""Seconds for a shutdown without an export; the SDK refuses to shut down in no time."""


class PushReader(PeriodicExportingMetricReader):
    """A reader of the SDK for exporting our series together with the SDK's collection.

    The interval is infinite, so the SDK starts no thread. The SDK's thread would end at the first
    error in the aggregation of an instrument; a `Ticker` calls `collect` and survives errors.
    """

    def __init__(self, exporter: MetricExporter, producer: MetricProducer) -> None:
        super().__init__(exporter, export_interval_millis=math.inf)
        self._producer: Final = producer
        self._flushing: Final = local()  # a flush exports on the thread of its caller
        self._cycle_lock: Final = ForkSafeLock()
        self._export_lock = cast("Any", ForkSafeLock())  # the SDK has a plain lock

    def has_new_series(self) -> bool:
        """Return True if there are series that no delivered export had."""
        return self._producer.has_new_series()

    def was_delivered(self) -> bool:
        """Return False if the last export failed."""
        return self._producer.was_delivered

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Export now, with the value of every series: no other export may follow."""
        self._flushing.is_active = True
        try:
            return super().force_flush(timeout_millis)
        finally:
            self._flushing.is_active = False

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> None:
        with self._cycle_lock:  # a delta begins where the export before it has ended
            is_flush = getattr(self._flushing, "is_active", False)
            merged = self._producer.append_to(metrics_data, with_values=is_flush)
            super()._receive_metrics(merged, timeout_millis, **kwargs)


class Metrics:
    """The meter provider, the readers, and the port for /metrics."""

    def __init__(
        self,
        settings: Settings,
        resource: Resource,
        storage: MetricStorage,
        monitor: DeliveryMonitor,
        *,
        view: ServiceView | None = None,
        workers: Workers | None = None,
        foreign: ForeignProviders = NO_PROVIDERS,
        job: JobDirectory | None = None,
    ) -> None:
        self._job: Final = job
        self._settings: Final = settings
        self._host: Final[Any] = foreign.meter if foreign.takes_readers else None
        self._storage: Final = storage
        self._view: Final = view
        self.scrape: Final[Scrape | None] = self._scrape(resource, view, workers)
        pushed = filter(is_pushed, settings.exporters["metrics"])
        self._producers: Final[list[MetricProducer]] = []
        self._pushes: Final = [self._push(name, monitor) for name in pushed]
        readers: list[MetricReader] = [*self._pushes]
        if self.scrape is not None and self._host is not None:
            self._host.add_metric_reader(self.scrape.reader)
        elif self.scrape is not None:
            readers.append(self.scrape.reader)
        if settings.job:
            resource = JobResource(resource, (*IDENTITY, *settings.identity_attributes))
        self.provider: Final = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._locks: Final = SdkLocks(self.provider, SCOPE)
        register_up(self.provider)
        self.taken_port: int | None = None
        """The port for /metrics, if another has it and this process starts without."""
        self.server: Final[MetricsServer | None] = self._server_if_free(workers, foreign)
        self._tickers: Final = [self._ticker(reader) for reader in self._pushes]

    def start(self) -> None:
        """Start to push at the export interval."""
        for ticker in self._tickers:
            ticker.start()

    def flush(self, timeout: float) -> None:
        """Push now. `MeterProvider.force_flush` would collect for the scraped reader as well."""
        for reader in self._pushes:
            reader.force_flush(timeout * 1000)

    def push(self) -> None:
        """Push now, as at the export interval: a job pushes zeros of its new series first."""
        for reader in self._pushes:
            reader.collect()

    def seconds_to_hold(self) -> float:
        """Return the seconds until counts of the new series of a job may follow their zeros."""
        return max((each.seconds_to_hold() for each in self._producers), default=0.0)

    def discard(self) -> None:
        """Export nothing more."""
        self._pushes.clear()

    def shutdown(self, timeout: float) -> None:
        """Close the port, push a last time, and shut the exporters down."""
        deadline = time.monotonic() + timeout

        def left() -> float:
            return max(deadline - time.monotonic(), 0.0)

        for ticker in self._tickers:
            ticker.stop(left())
        if self.server is not None:
            self.server.close(left())
        with suppress(MetricsTimeoutError):  # no time was left; the monitor logs what is lost
            self.flush(left())
        if self.scrape is not None and self._host is not None:
            self._host.remove_metric_reader(self.scrape.reader)
        self.provider.shutdown(max(left(), _MOMENT) * 1000)

    def _scrape(
        self, resource: Resource, view: ServiceView | None, workers: Workers | None
    ) -> Scrape | None:
        if "prometheus" not in self._settings.exporters["metrics"]:
            return None
        with ExtraImports("prometheus", "Prometheus export"):
            from .prometheus.scrape import Scrape  # noqa: PLC0415 - needs an extra
        return Scrape(
            self._storage.families if view is None else view.families,
            resource if view is None else service_resource(resource),
            self._storage.faults.report,
            self._settings.prometheus_token,
            None if view is None else view.owners,
            merge_prometheus_client=self._settings.merge_prometheus_client,
            created=self._settings.prometheus_created,
            identity=(*IDENTITY, *self._settings.identity_attributes),
            is_guest=self._host is not None,
            zero_first=self._zero_first(SCRAPE_HOLD, None if workers is None else workers.marks()),
        )

    def _zero_first_of_push(self, name: str) -> ZeroFirst | None:
        if name == "console":  # read by people
            return None
        return self._zero_first(PUSH_HOLD, window=WINDOW + self._settings.metric_interval)

    def _zero_first(
        self, hold: float, marks: MarkStore | None = None, window: float = WINDOW
    ) -> ZeroFirst | None:
        interval = self._settings.scrape_interval
        return ZeroFirst(hold * interval, window, marks) if interval else None

    def _server_if_free(
        self, workers: Workers | None, foreign: ForeignProviders
    ) -> MetricsServer | None:
        """Open the port.

        A taken port is no error in a child, because a pool would start the next, nor beside another
        library, whose exporter reads the same variable.
        """
        try:
            return self._server(workers)
        except PortInUse as error:
            if foreign.meter is None and not (is_multiprocessing_child() or is_forked()):
                raise
            self.taken_port = error.port
            return None

    def _server(self, workers: Workers | None) -> MetricsServer | None:
        number, host = self._settings.prometheus_port, self._settings.prometheus_host
        if self.scrape is None or number is None:
            return None
        if workers is None or number == 0:
            return self.scrape.listen(host, number)
        with workers.opening_port(number) as is_ours:
            return self.scrape.listen(host, number, "join" if is_ours else "first")

    def _push(self, name: str, monitor: DeliveryMonitor) -> PushReader:
        otlp = self._settings.otlp
        producer = self._producer(name, temporality_preference(name, otlp))
        self._producers.append(producer)
        exporter = create_exporter("metrics", name, otlp)
        watched = monitor.watch(exporter, "metrics", on_result=producer.settle)
        return PushReader(watched, producer)

    def _producer(self, name: str, preference: str) -> MetricProducer:
        if not self._settings.job or preference != "delta":
            zero_first = self._zero_first_of_push(name)
            return MetricProducer(self._storage, preference, zero_first=zero_first)
        deltas = JobDeltas(PUSH_HOLD * self._settings.scrape_interval)
        if self._view is None or self._job is None:
            return MetricProducer(self._storage, preference, deltas=deltas)
        return MetricProducer(JobStorage(self._view, self._job), preference, deltas=deltas)

    def _ticker(self, reader: PushReader) -> Ticker:
        collect: Callable[[], None] = reader.collect
        interval = self._settings.metric_interval
        if self._settings.job:
            early = EarlyPush(collect, interval, reader.has_new_series, reader.was_delivered)
            collect, interval = early.push_if_due, min(interval, EARLY_INTERVAL)
        return Ticker("metrics export", interval, collect, self._storage.faults)


def register_up(provider: MeterProvider) -> None:
    """Register a gauge that is always 1: without any point, the SDK does not call a reader."""

    def up(_options: CallbackOptions) -> list[Observation]:
        return [Observation(1)]

    # Not the scope of our series: the OTLP encoder keeps only the last of two scopes of one name.
    provider.get_meter("otel_meta.process").create_observable_gauge(
        UP, [up], description=UP_DESCRIPTION
    )
