"""Telemetry of a process: the result of `configure`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

from opentelemetry.sdk.resources import Resource

from otel_meta.model import MetaRepo

from .export.deadline import run_with_deadline
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
from .signals import SIGNALS
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
    """Metrics, traces, logs and SLOs of a process; a context manager for its shutdown.

    Raises:
        ConfigurationError: an exporter cannot start, with `MissingExtra` and `PortInUse` among the
            causes.
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
        allocator = None if self.workers is None else self.workers.allocator
        self.faults: Final = Faults(allocator)
        self.storage: Final = MetricStorage(
            self.faults,
            allocator,
            max_series=settings.max_series,
            max_length=settings.max_label_length,
        )
        self.view: Final = _view(self.workers, self.storage)
        self.tracker: Final = SloTracker(self.view or self.storage, clock)
        self._monitor: Final = DeliveryMonitor(self.faults)
        self.logs: Final = Logs(settings, resource, self.faults, self._monitor)
        self.traces: Traces | None = None
        self.metrics: Metrics | None = None
        if not settings.disabled:
            self.traces = Traces(settings, resource, self.faults, self._monitor)
            if settings.exemplars:
                self.traces.provider.add_span_processor(self.storage.spans)
            self.metrics = Metrics(
                settings,
                resource,
                self.storage,
                self._monitor,
                view=self.view,
                workers=self.workers,
            )
        self._slo_ticker: Final = Ticker("SLO tracker", INTERVAL, self.tracker.sample, self.faults)
        self._drain_seconds = 0.0
        self._is_open = True
        self._shutdown_lock: Final = Lock()

    @property
    def scrape(self) -> Scrape | None:
        """The scrape that serves /metrics; None if prometheus is not among the exporters."""
        return None if self.metrics is None else self.metrics.scrape

    def start(self) -> None:
        """Start to export, and to sample the SLOs."""
        self._monitor.install()
        if self.workers is not None:
            self.workers.start(self.faults)
        if self.metrics is not None:
            self.metrics.start()
            self._log_address(self.metrics)
            self._slo_ticker.start()

    def bind(self, repo: type[RepoT]) -> RepoT:
        """Return an instance of a meta-repository with live instruments, and track its SLOs."""
        if self.settings.namespace not in ("", repo.name):
            logger.warning(
                "bind(%s): this service belongs to %s, and the rules of %s select series of "
                "service_namespace=%r alone; they will not see the series of this service",
                repo.__name__,
                self.settings.namespace,
                repo.__name__,
                repo.name,
            )
        live = bind(repo, self.storage)
        self.tracker.track(repo)
        return live

    def flush(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far.

        Args:
            timeout: seconds to wait for all signals together; by default
                ``settings.shutdown_timeout``.

        Returns:
            True if the exporters finished in time. A failed delivery is counted as a fault.
        """
        seconds = self.settings.shutdown_timeout if timeout is None else timeout
        jobs = {f"{n} flush": partial(s.flush, seconds) for n, s in self._signals().items()}
        return run_with_deadline(seconds, jobs, self.faults)

    def drain(self) -> None:
        """Export everything before the process stops, and deduct the time from `shutdown`'s."""
        start = time.monotonic()
        self.flush()
        self._drain_seconds = time.monotonic() - start

    def shutdown(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far and stop; a second call does nothing.

        Args:
            timeout: seconds to wait for all signals together; by default the rest of
                ``settings.shutdown_timeout`` after `drain`.

        Returns:
            True if the exporters finished in time.
        """
        with self._shutdown_lock:
            was_open, self._is_open = self._is_open, False
        if not was_open:
            return True
        left = max(self.settings.shutdown_timeout - self._drain_seconds, 0.0)
        seconds = left if timeout is None else timeout
        self._slo_ticker.stop(seconds)
        jobs = {f"{n} shutdown": partial(s.shutdown, seconds) for n, s in self._signals().items()}
        in_time = run_with_deadline(seconds, jobs, self.faults)
        if not in_time and not self._monitor.is_failing:  # an outage has its own warning
            logger.warning(
                "telemetry did not finish within %g s of shutdown; the rest is lost", seconds
            )
        if self.workers is not None:
            self.workers.close()
        self._monitor.uninstall()
        self.logs.uninstall()
        return in_time

    def _log_address(self, metrics: Metrics) -> None:
        if metrics.server is not None:
            logger.info("metrics on http://%s:%d/metrics", metrics.server.host, metrics.server.port)

    def _signals(self) -> Mapping[str, _Signal]:
        signals = {"traces": self.traces, "metrics": self.metrics, "logs": self.logs}
        return {name: signal for name, signal in signals.items() if signal is not None}

    def __repr__(self) -> str:
        exporters = (
            f"{signal}={'+'.join(self.settings.exporters[signal]) or 'none'}" for signal in SIGNALS
        )
        state = "disabled" if self.settings.disabled else "open" if self._is_open else "shut down"
        return f"<Telemetry of {self.settings.service_name!r}, {state}: {', '.join(exporters)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.shutdown()
