"""Delivery failures: a warning when an outage starts, an info line when the outage ends.

The SDK's exporters log every attempt of every signal. `DeliveryMonitor` takes these messages out of
the log. So an unreachable Collector causes a single line and a counter instead of many lines.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sized
from contextlib import contextmanager
from textwrap import shorten
from typing import Any, Final, Protocol, TypeVar, cast

from opentelemetry.sdk.metrics.export import MetricsData

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults, logger
from otel_meta.runtime.signals import Signal

from .attempts import Attempt, Exports, exporting
from .point_counts import count_lossy_points, count_points

ExporterT = TypeVar("ExporterT")

_EXPORTERS: Final = "opentelemetry.exporter"
_MAX_CAUSE_LENGTH: Final = 500
_NOUNS: Final[Mapping[Signal, str]] = {
    "traces": "spans",
    "metrics": "exports of metrics",
    "logs": "log records",
}


class Buffer(Protocol):
    """The items of an exporter that wait for their export."""

    def release(self, items: int) -> None:
        """Note that items leave the buffer, before their export."""

    def waiting(self) -> int:
        """Return the number of items in the buffer."""
        ...


class DeliveryMonitor(logging.Handler):
    """Counts what was not delivered, and logs failing signals with the cause."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(logging.WARNING)
        self.exports: Final = Exports()
        self.faults: Final = faults
        self._buffers: Final[list[tuple[Signal, Buffer]]] = []
        self._state_lock: Final = ForkSafeLock()
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the exports of the parent in a forked child."""
        self._failing: dict[Signal, str] = {}
        self._remarked: set[tuple[Signal, bool]] = set()
        self._lost: Counter[Signal] = Counter()
        self._is_finished = False
        self._is_reported = False

    def install(self) -> None:
        """Take the exporters' messages out of the application's log."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.addHandler(self)
        exporters.propagate = False

    def uninstall(self) -> None:
        """Return the exporters' messages to the application's log."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.removeHandler(self)
        exporters.propagate = not any(isinstance(h, DeliveryMonitor) for h in exporters.handlers)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first message of an export as its cause: later messages report retries."""
        attempt = exporting.get()
        if attempt is not None:
            attempt.note(record.getMessage())

    def watch(
        self,
        exporter: ExporterT,
        signal: Signal,
        buffer: Buffer | None = None,
        on_result: Callable[[bool], object] | None = None,
    ) -> ExporterT:
        """Wrap an exporter in order to record the results.

        Args:
            exporter: an exporter of spans, metrics or log records.
            signal: the signal of the exporter.
            buffer: the items that wait for the exporter.
            on_result: called after each export with True if the batch was delivered.

        Returns:
            A `WatchedExporter` with all methods of the exporter.
        """
        if buffer is not None:
            self._buffers.append((signal, buffer))
        return cast("ExporterT", WatchedExporter(exporter, signal, self, buffer, on_result))

    @contextmanager
    def attempt(self, attempt: Attempt, buffer: Buffer | None) -> Generator[None]:
        """Make an export known while it is under way, instead of the items in the buffer."""
        with self._state_lock:
            self.exports.under_way.append(attempt)
            if buffer is not None:
                buffer.release(attempt.items)
        token = exporting.set(attempt)
        try:
            yield
        finally:
            exporting.reset(token)
            with self._state_lock:
                if attempt in self.exports.under_way:  # a fork during an export empties the list
                    self.exports.under_way.remove(attempt)

    def add_result(self, attempt: Attempt, *, delivered: bool) -> None:
        """Record the result of an export; count the items that were not delivered."""
        for error in attempt.unencodable:
            self.faults.report(f"export of {attempt.signal}", "unencodable", error)
        with self._state_lock:
            was_failing = bool(self._failing)
            if delivered:
                self._failing.pop(attempt.signal, None)
                self._add_loss(attempt.signal, "rejected", min(attempt.rejected, attempt.items))
            else:
                self._failing[attempt.signal] = _sentence(attempt)
                self._add_loss(attempt.signal, "undelivered", attempt.at_stake)
            is_failing = bool(self._failing)
        if delivered and (attempt.rejected or attempt.remark):
            self._log_remark(attempt)
        if is_failing != was_failing and not self.exports.is_stopping:
            self._log_change(attempt, is_failing=is_failing)

    def finish(self, *, in_time: bool) -> None:
        """Count the items that are still undelivered, log the losses, and count nothing later.

        Args:
            in_time: True if the exporters finished in time.
        """
        for signal, items in self._undelivered().items():
            self._add_loss(signal, "undelivered", items)
        self._is_finished = True
        self.report(in_time=in_time)

    def report(self, *, in_time: bool) -> None:
        """Log once what was lost since the process stops, and why.

        If the exporters did not finish in time, this includes what is still undelivered.
        """
        is_counted = in_time or self._is_finished
        lost = self._lost if is_counted else self._lost + self._undelivered()
        if self._is_reported or (in_time and not lost):
            return
        self._is_reported = True
        with self._state_lock:
            causes = [*self._failing.values(), *map(_sentence, self.exports.under_way)]
        logger.warning(
            "telemetry %s; %s; lost: %s",
            "is shut down" if in_time else f"did not finish within {self.exports.age():.1f} s",
            causes[-1] if causes else "no export was under way",
            ", ".join(f"{noun} {lost[signal]}" for signal, noun in _NOUNS.items() if lost[signal])
            or "nothing that can be counted",
        )

    def _undelivered(self) -> Counter[Signal]:
        """Return the number of items that are being exported, or wait for their export."""
        items: Counter[Signal] = Counter()
        with self._state_lock:
            for attempt in self.exports.under_way:
                items[attempt.signal] += attempt.at_stake
            for signal, buffer in self._buffers:
                items[signal] += buffer.waiting()
        return +items

    def _add_loss(self, signal: Signal, reason: str, items: int) -> None:
        if items and not self._is_finished:
            self.faults.count_only(f"export of {signal}", reason, items)
            if self.exports.is_stopping:
                self._lost[signal] += items

    def _log_change(self, attempt: Attempt, *, is_failing: bool) -> None:
        if is_failing:
            logger.warning(
                "%s; the application goes on, and further failures of any signal are counted in "
                "otel_meta_faults_total, not logged",
                _sentence(attempt),
            )
        else:
            logger.info("telemetry is exported again")

    def _log_remark(self, attempt: Attempt) -> None:
        """Log the first rejection and the first remark on a signal."""
        kind = (attempt.signal, attempt.rejected > 0)
        if kind not in self._remarked:
            self._remarked.add(kind)
            logger.warning(
                "%s rejected %d of %d %s: %s; more of these are %s",
                attempt.address or "the receiver",
                attempt.rejected,
                attempt.items,
                "data points" if attempt.signal == "metrics" else _NOUNS[attempt.signal],
                attempt.remark or "no reason given",
                "counted in otel_meta_faults_total, not logged"
                if attempt.rejected
                else "not logged",
            )


class WatchedExporter:
    """Delegates to an exporter, and reports each result to a `DeliveryMonitor`."""

    def __init__(
        self,
        exporter: Any,
        signal: Signal,
        monitor: DeliveryMonitor,
        buffer: Buffer | None,
        on_result: Callable[[bool], object] | None,
    ) -> None:
        self._exporter: Final = exporter
        self._signal: Final[Signal] = signal
        self._monitor: Final = monitor
        self._buffer: Final = buffer
        self._on_result: Final = on_result

    def export(self, batch: Any, **options: Any) -> Any:
        """Export a batch. An error of the exporter becomes the cause of an outage."""
        attempt = self._new_attempt(batch)
        result = None
        with self._monitor.attempt(attempt, self._buffer):
            try:
                result = self._exporter.export(batch, **options)
            except Exception as error:
                reraise_interruption(error)
                attempt.note(f"{type(error).__name__}: {error}")
            finally:
                delivered = getattr(result, "name", "") == "SUCCESS"
                self._monitor.add_result(attempt, delivered=delivered)
                if self._on_result is not None:
                    self._on_result(delivered)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)

    def _new_attempt(self, batch: object) -> Attempt:
        """Return an attempt with the number of spans, log records or points."""
        if isinstance(batch, MetricsData):
            items = count_points(batch)
            return Attempt(
                self._signal, items, max(count_lossy_points(batch), 1), self._monitor.exports
            )
        items = len(batch) if isinstance(batch, Sized) else 1
        return Attempt(self._signal, items, items, self._monitor.exports)


def _sentence(attempt: Attempt) -> str:
    target = f" to {attempt.address}" if attempt.address else ""
    cause = shorten(attempt.cause.partition("\n")[0], _MAX_CAUSE_LENGTH, placeholder=" ...")
    return f"cannot export {attempt.signal}{target}: {cause or 'no answer yet'}"
