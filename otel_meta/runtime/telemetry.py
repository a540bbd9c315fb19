"""The telemetry of a process: what `configure` returns, and what everything else is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

from opentelemetry.sdk.resources import Resource

from otel_meta.model import MetaRepo

from .export.deadline import within
from .export.delivery import DeliveryMonitor
from .export.periodic import Ticker
from .logs.provider import Logs
from .metrics import Metrics
from .multiprocess.service_view import ServiceView
from .multiprocess.workers import Workers
from .recording.bind import bind
from .recording.faults import Faults, logger
from .recording.storage import MetricStorage
from .settings import Settings
from .slo.tracker import INTERVAL, SloTracker
from .traces import Traces

if TYPE_CHECKING:
    from .prometheus.scrape import Scrape

RepoT = TypeVar("RepoT", bound=MetaRepo)


class _Signal(Protocol):
    def flush(self, timeout: float, /) -> None: ...
    def shutdown(self, timeout: float, /) -> None: ...


def _workers(settings: Settings) -> Workers | None:
    path = settings.workers_directory
    if path is None or settings.disabled:
        return None
    return Workers(path, settings.service_name, settings.namespace, settings.max_series)


def _view(workers: Workers | None, storage: MetricStorage) -> ServiceView | None:
    if workers is None:
        return None
    return workers.view(storage.families, storage.faults.report)


class Telemetry:
    """Metrics, traces, logs and SLOs of one process. A context manager: leaving it shuts down.

    Raises:
        ConfigurationError: an exporter cannot start; among them `MissingExtra` and `PortInUse`.
    """

    def __init__(
        self,
        settings: Settings,
        resource: Resource,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings: Final = settings
        self.resource: Final = resource
        self.workers: Final = _workers(settings)
        slots = None if self.workers is None else self.workers.allocator
        self.faults: Final = Faults(slots)
        self.storage: Final = MetricStorage(
            self.faults,
            slots,
            max_series=settings.max_series,
            max_length=settings.max_label_length,
        )
        self.view: Final = _view(self.workers, self.storage)
        self.tracker: Final = SloTracker(self.view or self.storage, clock)
        self._outage: Final = DeliveryMonitor(self.faults)
        self.logs: Final = Logs(settings, resource, self.faults, self._outage)
        self.traces: Traces | None = None
        self.metrics: Metrics | None = None
        if not settings.disabled:
            self.traces = Traces(settings, resource, self.faults, self._outage)
            if settings.exemplars:
                self.traces.provider.add_span_processor(self.storage.spans)
            self.metrics = Metrics(
                settings,
                resource,
                self.storage,
                self._outage,
                view=self.view,
                workers=self.workers,
            )
        self._sampling: Final = Ticker("SLO tracker", INTERVAL, self.tracker.sample, self.faults)
        self._draining = 0.0
        self._open = True
        self._closing: Final = Lock()

    @property
    def scrape(self) -> Scrape | None:
        """What answers /metrics; None where metrics are not exported to Prometheus."""
        return None if self.metrics is None else self.metrics.scrape

    def start(self) -> None:
        """Begin to export and to keep count."""
        self._outage.listen()
        if self.metrics is not None:
            self.metrics.start()
            self._say_where(self.metrics)
            self._sampling.start()

    def bind(self, repo: type[RepoT]) -> RepoT:
        """A meta-repository whose instruments are live, and whose SLOs are tracked from now on."""
        if self.settings.namespace not in ("", repo.name):
            logger.warning(
                "bind(%s): this service belongs to %s, and the rules of %s look at series of "
                "service_namespace=%r alone; they will not see what is recorded here",
                repo.__name__,
                self.settings.namespace,
                repo.__name__,
                repo.name,
            )
        live = bind(repo, self.storage)
        self.tracker.follow(repo)
        return live

    def flush(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far.

        Args:
            timeout: seconds to wait in all; by default ``settings.shutdown_timeout``.

        Returns:
            Whether it was done in time. What could not be delivered is counted as a fault.
        """
        seconds = self.settings.shutdown_timeout if timeout is None else timeout
        jobs = {f"{n} flush": partial(s.flush, seconds) for n, s in self._signals().items()}
        return within(seconds, jobs, self.faults)

    def drain(self) -> None:
        """Export everything before the process stops; the time it takes is `shutdown`'s."""
        start = time.monotonic()
        self.flush()
        self._draining = time.monotonic() - start

    def shutdown(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far and stop, once; a second call does nothing.

        Args:
            timeout: seconds to wait in all; by default what is left of
                ``settings.shutdown_timeout`` after `drain`.

        Returns:
            Whether it was done in time.
        """
        with self._closing:
            was_open, self._open = self._open, False
        if not was_open:
            return True
        left = max(self.settings.shutdown_timeout - self._draining, 0.0)
        seconds = left if timeout is None else timeout
        self._sampling.stop(seconds)
        jobs = {f"{n} shutdown": partial(s.shutdown, seconds) for n, s in self._signals().items()}
        in_time = within(seconds, jobs, self.faults)
        if not in_time and not self._outage.is_on:  # which has been warned of
            logger.warning(
                "telemetry did not finish within %g s of shutdown; the rest is lost", seconds
            )
        if self.workers is not None:
            self.workers.close()
        self._outage.leave()
        self.logs.uninstall()
        return in_time

    def _say_where(self, metrics: Metrics) -> None:
        if metrics.port is not None:
            logger.info("metrics on http://%s:%d/metrics", metrics.port.host, metrics.port.number)

    def _signals(self) -> Mapping[str, _Signal]:
        signals = {"traces": self.traces, "metrics": self.metrics, "logs": self.logs}
        return {name: signal for name, signal in signals.items() if signal is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.shutdown()
