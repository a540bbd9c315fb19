"""Delivery failures: a warning when an outage starts, an info line when the outage ends.

The SDK's exporters log every attempt of every signal. `DeliveryMonitor` takes these messages out of
the log and keeps the first as the reason. So an unreachable Collector causes a single line and a
counter instead of many lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sized
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final, TypeVar, cast

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import Faults, logger
from otel_meta.runtime.signals import Signal

ExporterT = TypeVar("ExporterT")

exporting: Final = ContextVar("exporting", default=False)
"""True while the current thread runs an exporter."""

_EXPORTERS: Final = "opentelemetry.exporter"
_MAX_REASON_LENGTH: Final = 300


class DeliveryMonitor(logging.Handler):
    """Records failing signals, and the reason from the log of the SDK's exporters."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(logging.WARNING)
        self._faults: Final = faults
        self._failing: Final[set[Signal]] = set()
        self._reason = ""
        self._state_lock = Lock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Renew the lock in a forked child: a thread of the parent may have held it."""
        self._state_lock = Lock()

    @property
    def is_failing(self) -> bool:
        """True from the first failed export of any signal until all signals are delivered."""
        return bool(self._failing)

    def install(self) -> None:
        """Take the exporters' messages out of the application's log."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.addHandler(self)
        exporters.propagate = False

    def uninstall(self) -> None:
        """Return the exporters' messages to the application's log."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.removeHandler(self)
        exporters.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first message of an outage: it has the cause, later messages report retries."""
        self.add_reason(record.getMessage())

    def watch(
        self,
        exporter: ExporterT,
        signal: Signal,
        on_batch: Callable[[int], object] | None = None,
    ) -> ExporterT:
        """Wrap an exporter in order to record the results.

        Args:
            exporter: an exporter of spans, metrics or log records.
            signal: the signal of the exporter.
            on_batch: called with the number of items before each export.

        Returns:
            A `WatchedExporter` with all methods of the exporter.
        """
        return cast("ExporterT", WatchedExporter(exporter, signal, self, on_batch))

    def add_reason(self, message: str) -> None:
        """Set the reason of the outage, unless there is a reason already."""
        self._reason = self._reason or message.partition("\n")[0][:_MAX_REASON_LENGTH]

    def add_result(self, signal: Signal, *, delivered: bool, items: int) -> None:
        """Record the result of an export; after a failure, count the items as undelivered."""
        with self._state_lock:
            was_failing = self.is_failing
            (self._failing.discard if delivered else self._failing.add)(signal)
            if not self.is_failing and not was_failing:
                self._reason = ""  # of a retry that succeeded
        if not delivered:
            self._faults.count_only(f"export of {signal}", "undelivered", items)
        if self.is_failing != was_failing:
            self._log_change(signal)

    def _log_change(self, signal: Signal) -> None:
        if self.is_failing:
            logger.warning(
                "cannot export %s: %s; the application goes on, and further failures of any signal "
                "are counted in otel_meta_faults_total, not logged",
                signal,
                self._reason or "no reason given",
            )
        else:
            self._reason = ""
            logger.info("exporting again")


class WatchedExporter:
    """Delegates to an exporter, and reports each result to a `DeliveryMonitor`."""

    def __init__(
        self,
        exporter: Any,
        signal: Signal,
        monitor: DeliveryMonitor,
        on_batch: Callable[[int], object] | None,
    ) -> None:
        self._exporter: Final = exporter
        self._signal: Final[Signal] = signal
        self._monitor: Final = monitor
        self._on_batch: Final = on_batch

    def export(self, batch: Any, **options: Any) -> Any:
        """Export a batch. An error of the exporter becomes the reason of an outage."""
        items = _count(batch)
        if self._on_batch is not None:
            self._on_batch(items)
        result = None
        token = exporting.set(True)
        try:
            result = self._exporter.export(batch, **options)
        except Exception as error:
            self._monitor.add_reason(f"{type(error).__name__}: {error}")
        finally:
            exporting.reset(token)
            delivered = getattr(result, "name", "") == "SUCCESS"
            self._monitor.add_result(self._signal, delivered=delivered, items=items)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)


def _count(batch: object) -> int:
    """Return the number of spans or log records; 1 for metrics, which are exported as a whole."""
    return len(batch) if isinstance(batch, Sized) else 1
