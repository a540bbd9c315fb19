"""Telemetry of a process: the result of `configure`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

from opentelemetry.sdk.resources import Resource

from otel_meta.model import MetaRepo

from .export.deadline import run_with_deadline
from .export.delivery import DeliveryMonitor
from .export.periodic import Ticker
from .fork import ForkSafeLock, is_forked, reset_after_fork
from .jobs.job_directory import JobDirectory, job_directory
from .jobs.scrape_wait import ScrapeWait
from .lifecycle.child_process import is_multiprocessing_child
from .lifecycle.foreign_providers import NO_PROVIDERS, ForeignProviders
from .lifecycle.reachability import Reachability
from .lifecycle.server_workers import server_workers
from .lifecycle.span_processors import SampledSpanCounter
from .logs.provider import Logs
from .metrics import Metrics
from .multiprocess.service_view import ServiceView
from .multiprocess.workers import Workers
from .open_instances import OpenInstances
from .recording.bind import bind
from .recording.faults import Faults, logger
from .recording.storage import MetricStorage
from .redaction import Redaction
from .resource import identity_labels
from .settings import Settings
from .signals import SIGNALS
from .slo.bad_requests import BadRequests
from .slo.history_file import SOURCE as SLO_HISTORY
from .slo.history_file import HistoryFile
from .slo.status_page import PATH as SLO_PATH
from .slo.status_page import SloPage
from .slo.tracker import INTERVAL, SloTracker
from .traces import Traces

if TYPE_CHECKING:
    from .prometheus.scrape import Scrape

RepoT = TypeVar("RepoT", bound=MetaRepo)

OPEN: Final[OpenInstances[Telemetry]] = OpenInstances()
"""The telemetry of this process that is not shut down."""

CHILD_TIMEOUT: Final = 2.0
"""Maximum duration of the export at the end of a child of multiprocessing, in seconds.

A pool waits for its children, one after the other.
"""

_ENDED: Final = (
    "the first process of the job %s ended before this child process, whose later counts are "
    "lost: join child processes before telemetry is shut down"
)


class _Signal(Protocol):
    def flush(self, timeout: float, /) -> None: ...
    def shutdown(self, timeout: float, /) -> None: ...


def _job(settings: Settings) -> JobDirectory | None:
    """Return the directory of this run of a job whose metrics are sent."""
    if not settings.job or settings.disabled or "otlp" not in settings.exporters["metrics"]:
        return None
    return job_directory(is_child=is_multiprocessing_child())


def _workers(settings: Settings, job: JobDirectory | None) -> Workers | None:
    path = settings.workers_directory if job is None else job.path
    if path is None or settings.disabled:
        return None
    return Workers(path, settings.service_name, settings.namespace, settings.max_series)


def _view(workers: Workers | None, storage: MetricStorage, *, of_dead: bool) -> ServiceView | None:
    if workers is None:
        return None
    return workers.view(storage.families, storage.faults.report, of_dead=of_dead)


def _history_file(
    settings: Settings, view: ServiceView | None, faults: Faults
) -> HistoryFile | None:
    if settings.slo_path is None or settings.disabled:
        return None
    service = (settings.namespace, settings.service_name)
    origins = frozenset[str] if view is None else view.origins
    return HistoryFile(settings.slo_path, service, faults.report, origins)


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
        foreign: ForeignProviders = NO_PROVIDERS,
    ) -> None:
        self.settings: Final = settings
        self.foreign: Final = foreign
        """The providers of another library that telemetry uses."""
        self.resource: Final = resource
        self._job: Final = _job(settings)
        self.workers: Final = _workers(settings, self._job)
        allocator = None if self.workers is None else self.workers.allocator
        self.faults: Final = Faults(allocator)
        self.storage: Final = MetricStorage(
            self.faults,
            allocator,
            max_series=settings.max_series,
            max_length=settings.max_label_length,
        )
        self.view: Final = _view(self.workers, self.storage, of_dead=self._job is not None)
        self.tracker: Final = SloTracker(
            self.view or self.storage,
            clock,
            service=identity_labels(resource, settings),
            required_coverage=settings.slo_required_coverage,
            corrections=settings.corrections,
            file=_history_file(settings, self.view, self.faults),
        )
        self.redaction: Final = Redaction(
            settings.redacted_names, settings.secret_headers, enabled=settings.redaction
        )
        """The policy for secrets of all signals."""
        self.slo_page: Final = SloPage(settings, resource, self.tracker)
        self._monitor: Final = DeliveryMonitor(self.faults)
        self.logs: Final = Logs(settings, resource, self.faults, self._monitor, self.redaction)
        self.traces: Traces | None = None
        self.metrics: Metrics | None = None
        self._bad_requests: Final = BadRequests()
        if not settings.disabled:
            self.traces = Traces(
                settings, resource, self.faults, self._monitor, self.redaction, foreign=foreign
            )
            if self.traces.tail is not None:
                self.traces.tail.judges.append(self._bad_requests)
            if settings.exemplars:
                self.traces.add_span_processor(SampledSpanCounter(self.storage.spans))
                if not self.traces.sees_spans:
                    self.storage.spans.add(1)  # so that each recording looks for a span
            self.metrics = Metrics(
                settings,
                resource,
                self.storage,
                self._monitor,
                view=self.view,
                workers=self.workers,
                foreign=foreign,
                job=self._job,
            )
        if self.metrics is not None and self.metrics.server is not None:
            self.metrics.server.pages[SLO_PATH] = self.slo_page.handle
        hold = self.metrics.seconds_to_hold if self.metrics is not None else float
        self._scrape_wait: Final = ScrapeWait(hold)
        self._slo_ticker: Final = Ticker("SLO tracker", INTERVAL, self._tick, self.faults)
        has_port = self.metrics is not None and self.metrics.server is not None
        self._reachability: Final = Reachability(
            settings, has_port=has_port, has_recorded=self.storage.has_recordings
        )
        self.on_shutdown: Final = ExitStack()
        """Called last by `shutdown`: undoes what `configure` has done to the process."""
        self.is_stopping = False
        self._drain_seconds = 0.0
        self._is_open = True
        self._lock: Final = ForkSafeLock()
        reset_after_fork(self)
        OPEN.add(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: a thread of the parent may have been draining."""
        self.is_stopping = False
        self._drain_seconds = 0.0

    @property
    def scrape(self) -> Scrape | None:
        """The scrape that serves /metrics; None if prometheus is not among the exporters.

        A caller serves the page, so telemetry does not warn of unreadable metrics afterwards.
        """
        if self.metrics is None:
            return None
        self._reachability.add_app()
        return self.metrics.scrape

    @property
    def port(self) -> int | None:
        """The port that serves /metrics; None without a port."""
        server = None if self.metrics is None else self.metrics.server
        return None if server is None else server.port

    def start(self) -> None:
        """Start to export, and to sample the SLOs."""
        self._monitor.install()
        if self.workers is not None:
            self.workers.start(self.faults)
        if self.metrics is not None:
            self.metrics.start()
            self._slo_ticker.start()
            if self.metrics.taken_port is not None:
                by_others = self.foreign.meter is not None
                self._reachability.port_taken(self.metrics.taken_port, by_others=by_others)

    def expect_readers(self) -> None:
        """Warn if metrics are recorded that nobody can read."""
        self._reachability.expect_readers()

    def check_workers(self) -> None:
        """Warn if the server runs several workers that share no series."""
        self._reachability.check_workers(server_workers())

    def follow(self, repo: type[MetaRepo]) -> None:
        """Track the SLOs of a meta-repository, also before it is bound."""
        judged = {each.instrument for slo in repo.slos.values() for each in slo.sli.selectors()}
        for instrument in repo.instruments.values():
            if instrument in judged:  # so that /metrics keeps the declared order
                self.storage.recorder(instrument)
        self._track(repo)

    def bind(self, repo: type[RepoT]) -> RepoT:
        """Return an instance of a meta-repository with live instruments, and track its SLOs."""
        live = bind(repo, self.storage)
        if self.settings.namespace not in ("", repo.name):
            logger.warning(
                "bind(%s): this service belongs to %s, and the rules of %s select series of "
                "service_namespace=%r alone; they will not see the series of this service",
                repo.__name__,
                self.settings.namespace,
                repo.__name__,
                repo.name,
            )
        self._track(repo)
        return live

    def _track(self, repo: type[MetaRepo]) -> None:
        self.tracker.track(repo)
        self._bad_requests.follow(repo)

    def flush(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far.

        Args:
            timeout: seconds to wait for all signals together; by default
                ``settings.shutdown_timeout``.

        Returns:
            True if the exporters finished in time. A failed delivery is counted as a fault.
        """
        seconds = self.settings.shutdown_timeout if timeout is None else timeout
        return self._after_scrape(seconds, timeout, self._flush)

    def _flush(self, seconds: float) -> bool:
        jobs = {f"{n} flush": partial(s.flush, seconds) for n, s in self._signals().items()}
        return run_with_deadline(seconds, jobs, self.faults)

    def _after_scrape(
        self, seconds: float, timeout: float | None, action: Callable[[float], bool]
    ) -> bool:
        """Run an action after the wait for a scrape, also if an exception ends the wait.

        Args:
            seconds: duration of the action.
            timeout: duration of both together, of which the wait takes at most half; None for no
                bound but that of each.
            action: takes the seconds that it may last.
        """
        start = time.monotonic()
        in_time = False
        try:
            self._wait_for_scrape(seconds, limit=None if timeout is None else timeout / 2)
        finally:
            spent = 0 if timeout is None else time.monotonic() - start
            in_time = action(max(seconds - spent, 0))
        return in_time

    def _wait_for_scrape(self, seconds: float, limit: float | None = None) -> None:
        """In a job, push the zeros of new series, and wait until a scrape has seen them.

        Children of a job push no series, and are not waited for longer than others.

        Args:
            seconds: maximum duration of the push.
            limit: maximum duration of the wait; None for that of a scrape.
        """
        is_child = is_multiprocessing_child() or is_forked()
        if not self.settings.job or self.metrics is None or is_child:
            return
        run_with_deadline(seconds, {"metrics push": self.metrics.push}, self.faults)
        self._scrape_wait.run(limit)

    def hasten(self) -> bool:
        """Return True during a shutdown, whose wait for a scrape ends then."""
        if self.is_stopping:
            self._scrape_wait.cut()
        return self.is_stopping

    def drain(self) -> bool:
        """Export everything before the process stops, and deduct the time from `shutdown`'s.

        Returns:
            True if the exporters finished in time.
        """
        start = time.monotonic()
        in_time = self._export_at_end(self.settings.shutdown_timeout)
        self._drain_seconds = time.monotonic() - start
        return in_time

    def export_at_end(self) -> None:
        """Export everything before an end of the process that skips exit handlers."""
        self._reachability.check()
        seconds = self._seconds_left()
        if is_multiprocessing_child():
            seconds = min(seconds, CHILD_TIMEOUT)
        if self._is_open:
            self._monitor.exports.stop()
            self._wait_for_scrape(seconds)
            self._export_at_end(seconds)
        if self._job is not None and not self._job.is_open and self.storage.has_recordings():
            logger.warning(_ENDED, self.settings.service_name)

    def shutdown(self, timeout: float | None = None) -> bool:
        """Export everything recorded so far and stop; a second call does nothing.

        Args:
            timeout: seconds to wait for everything together; by default the rest of
                ``settings.shutdown_timeout`` after `drain`.

        Returns:
            True if the exporters finished in time.
        """
        with self._lock:
            was_open, self._is_open = self._is_open, False
        if not was_open:
            return True
        OPEN.discard(self)
        self.is_stopping = True
        try:
            self._reachability.check()
            return self._end(timeout)
        finally:
            self._monitor.uninstall()
            self.logs.uninstall()
            self.is_stopping = False
            self.on_shutdown.close()

    def _end(self, timeout: float | None) -> bool:
        """Wait for a scrape if this is a job, and stop, also after a signal during the wait."""
        seconds = self._seconds_left() if timeout is None else timeout
        try:
            return self._after_scrape(seconds, timeout, self._stop)
        finally:
            if self._job is not None:
                self._job.close()

    def discard(self) -> None:
        """Stop before anything is recorded: there is nothing to export, and nobody waits for it."""
        if self.metrics is not None and not self.storage.has_recordings():
            self.metrics.discard()
        self.shutdown()

    def _stop(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds

        def left() -> float:
            return max(deadline - time.monotonic(), 0.0)

        self._slo_ticker.stop(0)
        self._monitor.exports.stop(left())
        signals = self._signals().items()
        jobs = {f"{name} shutdown": partial(each.shutdown, left()) for name, each in signals}
        in_time = run_with_deadline(left(), jobs, self.faults)
        self._monitor.finish(in_time=in_time)
        self._slo_ticker.stop(left())  # not before: a sample under way is no export
        self._save_slos(self.tracker.close, left())
        if self.workers is not None:  # late or not: nothing is lost, another worker adds the file
            run_with_deadline(left(), {"workers close": self.workers.close}, self.faults)
        return in_time

    def _export_at_end(self, seconds: float) -> bool:
        """Export everything without retries, because the process stops, and log what is lost."""
        self._monitor.exports.stop()
        in_time = self._flush(seconds)
        self._monitor.report(in_time=in_time)
        self._save_slos(self.tracker.sample, seconds)
        return in_time

    def _save_slos(self, save: Callable[[], None], seconds: float) -> None:
        if self.settings.slo_path is not None:
            run_with_deadline(seconds, {SLO_HISTORY: save}, self.faults)

    def _seconds_left(self) -> float:
        return max(self.settings.shutdown_timeout - self._drain_seconds, 0.0)

    def _tick(self) -> None:
        self._reachability.check()
        self.tracker.sample()

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
