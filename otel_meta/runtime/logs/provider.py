"""The logs signal: JSON lines of every library on a stream, and optional export over OTLP."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from threading import Lock
from typing import Any, BinaryIO, Final

import structlog
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.export.exporters import create_exporter
from otel_meta.runtime.export.queues import LogQueue
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.settings import Settings
from otel_meta.runtime.text import utf8_text

from .access import ACCESS_LOGGER, add_access_fields, parse_access_args
from .observers import LineObservers
from .otlp import OtelLogProcessor
from .processors import json_renderer, shared_processors, structured_exceptions

_SERVER_LOGGERS: Final = ("uvicorn", ACCESS_LOGGER, "uvicorn.error")
_FIRST_ERROR_STATUS: Final = 400


class LineWriter:
    """Writes whole lines to a stream from any thread; errors of the stream are counted."""

    def __init__(self, stream: BinaryIO, faults: Faults) -> None:
        self._stream: Final = stream
        self._faults: Final = faults
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Renew the lock in a forked child: a thread of the parent may have held it."""
        self._lock = Lock()

    def write(self, line: bytes) -> None:
        """Write one line. An error of a closed or broken stream is counted, not raised."""
        try:
            with self._lock:
                self._stream.write(line + b"\n")
                self._stream.flush()
        except (OSError, ValueError):
            self._faults.count_only("log stream", "unwritable")


class LineLogger:
    """The logger wrapped by structlog: every level writes the rendered line."""

    __slots__ = ("_write", "name")

    def __init__(self, writer: LineWriter, *names: object) -> None:
        self._write = writer.write
        self.name = utf8_text(names[0]) if names and names[0] else "root"

    def msg(self, line: bytes) -> None:
        """Write a line."""
        self._write(line)

    debug = info = warning = error = critical = fatal = exception = log = msg


class StandardHandler(logging.Handler):
    """Writes records of the standard library through the processors of structlog."""

    def __init__(self, writer: LineWriter, formatter: ProcessorFormatter, faults: Faults) -> None:
        super().__init__()
        self._writer: Final = writer
        self._faults: Final = faults
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a JSON line."""
        try:
            self._writer.write(self.format(record).encode("utf-8", "replace"))
        except Exception as error:
            self._faults.count_only("log record", type(error).__name__)


class AccessLogFilter(logging.Filter):
    """Drops access lines of paths for scrapes and probes, which come every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: Final[set[str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for successful requests of one of ``paths``."""
        access = parse_access_args(record.args)
        return (
            access is None or access.status >= _FIRST_ERROR_STATUS or access.path not in self.paths
        )


class Logs:
    """The logger provider, and the logging of this process from `install` to `uninstall`."""

    def __init__(
        self, settings: Settings, resource: Resource, faults: Faults, monitor: DeliveryMonitor
    ) -> None:
        self._settings: Final = settings
        self._faults: Final = faults
        self.provider: Final = LoggerProvider(resource, shutdown_on_exit=False)
        for name in () if settings.disabled else settings.exporters["logs"]:
            exporter = create_exporter("logs", name, settings.otlp)
            self.provider.add_log_record_processor(LogQueue(exporter, monitor, faults))
        self.observers: Final = LineObservers(self._to_json)
        self._replaced: tuple[list[logging.Handler], int] | None = None
        self._access_filter: Final = AccessLogFilter()

    def silence_access_logs(self, paths: Iterable[str]) -> None:
        """Drop the access lines of these paths, except for failed requests."""
        self._access_filter.paths.update(paths)

    def install(self, stream: BinaryIO, *, cache: bool) -> None:
        """Write all log lines of this process as JSON.

        Args:
            stream: the stream for the lines.
            cache: cache each logger on first use: faster, and final.
        """
        chain = self._chain()
        to_json = json_renderer(self._on_fault)
        writer = LineWriter(stream, self._faults)
        structlog.configure(
            processors=[*chain, structured_exceptions(), to_json],
            wrapper_class=structlog.make_filtering_bound_logger(self._settings.log_level),
            logger_factory=partial(LineLogger, writer),
            cache_logger_on_first_use=cache,
        )
        self._install_standard(writer, chain, to_json)

    def take_over_server_loggers(self) -> None:
        """Remove the handlers of uvicorn's loggers, set at the start of uvicorn."""
        if self._replaced is None:
            return
        for name in _SERVER_LOGGERS:
            server = logging.getLogger(name)
            server.handlers.clear()
            server.propagate = True
        logging.getLogger(ACCESS_LOGGER).addFilter(self._access_filter)

    def uninstall(self) -> None:
        """Restore the handlers and level of the root logger, and the defaults of structlog."""
        if self._replaced is None:
            return
        logging.getLogger(ACCESS_LOGGER).removeFilter(self._access_filter)
        root = logging.getLogger()
        root.handlers[:], level = self._replaced
        root.setLevel(level)
        structlog.reset_defaults()
        self._replaced = None

    def flush(self, timeout: float) -> None:
        """Export the queued log records. The SDK ignores the timeout; the caller enforces one."""
        self.provider.force_flush(int(timeout * 1000))

    def shutdown(self, _timeout: float) -> None:
        """Export the queued log records, and stop."""
        self.provider.shutdown()

    def _chain(self) -> tuple[Processor, ...]:
        chain: tuple[Processor, ...] = (
            *shared_processors(_identity(self._settings)),
            self.observers,
        )
        if self._settings.exporters["logs"] and not self._settings.disabled:
            return (*chain, OtelLogProcessor(self.provider, self._faults))
        return chain

    def _to_json(self, logger: Any, method: str, event: EventDict) -> bytes:
        rendered: Any = structured_exceptions()(logger, method, event)
        return json_renderer(self._on_fault)(logger, method, rendered)

    def _install_standard(
        self, writer: LineWriter, chain: tuple[Processor, ...], to_json: Any
    ) -> None:
        def to_text(logger: Any, method: str, event: EventDict) -> str:
            rendered: bytes = to_json(logger, method, event)
            return rendered.decode()

        formatter = ProcessorFormatter(
            foreign_pre_chain=[ExtraAdder(), add_access_fields, *chain, structured_exceptions()],
            processors=[ProcessorFormatter.remove_processors_meta, to_text],
            pass_foreign_args=True,
        )
        root = logging.getLogger()
        self._replaced = (root.handlers.copy(), root.level)
        root.handlers[:] = [StandardHandler(writer, formatter, self._faults)]
        root.setLevel(self._settings.log_level)
        self.take_over_server_loggers()

    def _on_fault(self, reason: str, _error: object) -> None:
        # Not reported: a report is a log line, which could fail in the same way.
        self._faults.count_only("log line", reason)


def _identity(settings: Settings) -> Mapping[str, str]:
    identity = {"service_name": settings.service_name, "service_namespace": settings.namespace}
    return {key: value for key, value in identity.items() if value}
