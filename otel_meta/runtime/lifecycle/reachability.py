"""Metrics that nobody can read: said once, with the ways to mend it."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Final

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import logger
from otel_meta.runtime.settings import Settings

from .child_process import is_multiprocessing_child
from .server_workers import server_workers

_UNREACHABLE: Final = (
    "nobody can read the metrics of this process: it serves no /metrics and sends nothing; set "
    "OTEL_EXPORTER_PROMETHEUS_PORT for a port of its own, OTEL_EXPORTER_OTLP_ENDPOINT to send "
    "them, or call instrument_fastapi(app) in a web application"
)
_FORKED: Final = (
    "a forked process records metrics, which no scrape of its parent shows: set "
    "OTEL_META_MULTIPROCESS_DIR to a directory of this service, such as /dev/shm/my-service, or "
    "OTEL_EXPORTER_OTLP_ENDPOINT to send them"
)
_WORKERS: Final = (
    "this process is one of several workers, and a scrape reaches one of them at random: set "
    "OTEL_META_MULTIPROCESS_DIR to a directory of this service, such as /dev/shm/my-service, so "
    "that each worker answers for all"
)

_PORT_TAKEN: Final = (
    "port {port} for /metrics is in use, probably by the parent or a sibling of this process, "
    "whose page leaves out the metrics of this process; set OTEL_META_MULTIPROCESS_DIR to a "
    "directory of this service, such as /dev/shm/my-service, so that all processes share the port"
)
_PORT_OF_OTHERS: Final = (
    "port {port} for /metrics is in use, probably by the exporter of the library that has set the "
    "meter provider; give otel_meta another port by configure(prometheus_port=...), or let the "
    "application serve /metrics by instrument_fastapi(app)"
)


class Reachability:
    """Says once that nobody can read the metrics of this process, or only a part of the service's.

    Args:
        settings: the settings of telemetry.
        has_port: True if a port serves /metrics.
        has_recorded: returns True if this process has recorded a metric.
    """

    def __init__(
        self, settings: Settings, *, has_port: bool, has_recorded: Callable[[], bool]
    ) -> None:
        only_scraped = settings.exporters["metrics"] == ("prometheus",)
        self._is_concerned: Final = (
            only_scraped and not settings.disabled and settings.workers_directory is None
        )
        self._has_recorded: Final = has_recorded
        self._has_port = has_port
        self._is_forked = False
        self._is_in_app = False
        self._is_checked = False
        self._workers = 1
        self._said: Final = mmap.mmap(-1, 1)  # shared with forked children
        reset_after_fork(self)

    def expect_readers(self) -> None:
        """Warn from now on: unlike those of a test, these metrics are recorded to be read."""
        self._is_checked = True

    def add_app(self) -> None:
        """An application serves the metrics from now on."""
        self._is_in_app = True

    def after_fork(self) -> None:
        """In a forked child nothing listens on the port, and a child of a pool serves no app."""
        self._is_forked = True
        self._has_port = False
        self._is_in_app = self._is_in_app and not is_multiprocessing_child()
        self._workers = server_workers()

    def port_taken(self, port: int, *, by_others: bool) -> None:
        """Warn that a child of this service cannot serve /metrics on a port.

        Args:
            port: the port.
            by_others: True if another library exports metrics in this process.
        """
        self._say((_PORT_OF_OTHERS if by_others else _PORT_TAKEN).format(port=port))

    def check_workers(self, workers: int) -> None:
        """Warn if this process is one of several workers without a shared directory."""
        if workers > 1:
            self._say(_WORKERS)

    def check(self) -> None:
        """Warn if metrics were recorded that nobody can read."""
        if self._is_in_app:
            self.check_workers(self._workers)
        elif self._is_checked and not self._has_port and self._has_recorded():
            self._say(_FORKED if self._is_forked else _UNREACHABLE)

    def _say(self, message: str) -> None:
        if self._is_concerned and not self._said[0]:
            self._said[0] = 1
            logger.warning("%s", message)
