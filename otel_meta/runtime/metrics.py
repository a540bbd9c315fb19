"""The metrics signal: accumulators and the SDK's own instruments, out by every chosen way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from otel_meta.extras import optional
from otel_meta.model.self_metrics import UP, UP_DESCRIPTION

from .export.delivery import DeliveryMonitor
from .export.exporters import create_exporter
from .export.periodic import Ticker
from .export.producer import MetricProducer
from .multiprocess.service_view import ServiceView
from .multiprocess.workers import Workers
from .recording.storage import MetricStorage
from .resource import of_service
from .settings import Settings

if TYPE_CHECKING:
    from .prometheus.scrape import Scrape
    from .prometheus.server import Port


class PushReader(PeriodicExportingMetricReader):
    """Exports the accumulators with what the SDK collected, when told to.

    Its own thread is left out by an infinite interval: it would end for good at the first error
    that a foreign instrument's aggregation raises. A `Ticker` outlives that.
    """

    def __init__(self, exporter: MetricExporter, points: MetricProducer) -> None:
        super().__init__(exporter, export_interval_millis=math.inf)
        self._points: Final = points

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> None:
        super()._receive_metrics(self._points.beside(metrics_data), timeout_millis, **kwargs)


class Metrics:
    """The meter provider, and the ways out of it."""

    def __init__(
        self,
        settings: Settings,
        resource: Resource,
        storage: MetricStorage,
        outage: DeliveryMonitor,
        *,
        view: ServiceView | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._settings: Final = settings
        self._accumulators: Final = storage
        self.scrape: Final[Scrape | None] = self._scrape(resource, view)
        pushed = (name for name in settings.exporters["metrics"] if name != "prometheus")
        self._pushes: Final = [self._push(name, outage) for name in pushed]
        readers: list[MetricReader] = [*self._pushes]
        if self.scrape is not None:
            readers.append(self.scrape.reader)
        self.provider: Final = MeterProvider(readers, resource, shutdown_on_exit=False)
        _keep_alive(self.provider)
        self.port: Final[Port | None] = self._port(workers)
        self._tickers: Final = [self._ticker(reader) for reader in self._pushes]

    def start(self) -> None:
        """Begin to push at the export interval."""
        for ticker in self._tickers:
            ticker.start()

    def flush(self, timeout: float) -> None:
        """Push now. Not `MeterProvider.force_flush`, which collects for the scraped reader too."""
        for reader in self._pushes:
            reader.force_flush(timeout * 1000)

    def shutdown(self, timeout: float) -> None:
        """Push a last time, and free the port."""
        for ticker in self._tickers:
            ticker.stop(timeout)
        if self.port is not None:
            self.port.close(timeout)
        self.flush(timeout)
        self.provider.shutdown(timeout * 1000)

    def _scrape(self, resource: Resource, view: ServiceView | None) -> Scrape | None:
        if "prometheus" not in self._settings.exporters["metrics"]:
            return None
        module = optional("otel_meta.runtime.prometheus.scrape", "Prometheus export", "prometheus")
        scrape: Scrape = module.Scrape(
            self._accumulators.families if view is None else view.families,
            resource if view is None else of_service(resource),
            self._accumulators.faults.report,
            self._settings.prometheus_token,
            None if view is None else view.owners,
        )
        return scrape

    def _port(self, workers: Workers | None) -> Port | None:
        number, host = self._settings.prometheus_port, self._settings.prometheus_host
        if self.scrape is None or number is None:
            return None
        if workers is None or number == 0:
            return self.scrape.listen(host, number)
        with workers.opening_port(number) as is_ours:
            return self.scrape.listen(host, number, "now" if is_ours else "later")

    def _push(self, name: str, outage: DeliveryMonitor) -> PushReader:
        exporter = create_exporter("metrics", name, self._settings)
        outage.watch(exporter, "metrics")
        # Other exporters choose for the SDK alone, for they do not say what they chose.
        preference = self._settings.temporality if name == "otlp" else "cumulative"
        return PushReader(exporter, MetricProducer(self._accumulators, preference))

    def _ticker(self, reader: PushReader) -> Ticker:
        collect: Callable[[], None] = reader.collect
        return Ticker(
            "metrics export", self._settings.metric_interval, collect, self._accumulators.faults
        )


def _keep_alive(provider: MeterProvider) -> None:
    """Have one instrument that always reports: readers get nothing from an SDK that has nothing."""

    def up(_options: CallbackOptions) -> list[Observation]:
        return [Observation(1)]

    # Not the accumulators' scope: of two with one name, the encoder of OTLP keeps the later alone.
    provider.get_meter("otel_meta.process").create_observable_gauge(
        UP, [up], description=UP_DESCRIPTION
    )
