"""The logs signal: lines of every library on a stream, and optional export over OTLP."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import structlog
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from structlog.typing import Processor

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.export.exporters import create_exporter
from otel_meta.runtime.export.queues import LogQueue
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.lifecycle.sdk_locks import SdkLocks
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.redaction import Redaction
from otel_meta.runtime.settings import Settings

from .access import is_held
from .bound_logger import OUTPUT, LineLogger, create_bound_logger
from .console_handlers import ConsoleHandlers
from .line_formats import create_renderer, to_json
from .line_writer import LineWriter, OpenStream
from .log_records import event_of
from .observers import LineObservers
from .otlp import OtelLogProcessor
from .processors import LineFields, merge_context
from .repeated_warnings import RepeatedWarnings


class Logs:
    """The logger provider, and the logging of this process from `install` to `uninstall`."""

    def __init__(
        self,
        settings: Settings,
        resource: Resource,
        faults: Faults,
        monitor: DeliveryMonitor,
        redaction: Redaction,
    ) -> None:
        self._settings: Final = settings
        self._redaction: Final = redaction
        self._faults: Final = faults
        self.provider: Final = LoggerProvider(resource, shutdown_on_exit=False)
        self._locks: Final = SdkLocks(self.provider)
        for name in () if settings.disabled else settings.exporters["logs"]:
            exporter = create_exporter("logs", name, settings.otlp)
            self.provider.add_log_record_processor(LogQueue(exporter, monitor, faults))
        self.observers: Final = LineObservers(to_json)
        self._lines: InstalledLines | None = None

    def install(self, open_stream: OpenStream, *, cache: bool) -> None:
        """Write all log lines of this process in one format.

        Args:
            open_stream: returns the stream for the lines.
            cache: cache each logger on first use: faster, and final.
        """
        writer = LineWriter(open_stream, self._faults)
        renderer = create_renderer(self._settings.log_format, writer.stream)
        processors = [*self._chain(), renderer]
        level = self._settings.log_level
        self._lines = InstalledLines(processors, writer, self._faults, level=level, cache=cache)
        self._lines.install()

    def take_over_server_loggers(self) -> None:
        """Replace the console handlers that a server added at its start."""
        if self._lines is not None:
            self._lines.handlers.take_over()

    def uninstall(self) -> None:
        """Restore the handlers and level of the standard library, and structlog's configuration."""
        if self._lines is not None:
            self._lines.uninstall()
            self._lines = None

    def flush(self, timeout: float) -> None:
        """Export the queued log records. The SDK ignores the timeout; the caller enforces one."""
        self.provider.force_flush(int(timeout * 1000))

    def shutdown(self, _timeout: float) -> None:
        """Export the queued log records, and stop."""
        self.provider.shutdown()

    def _chain(self) -> tuple[Processor, ...]:
        chain: tuple[Processor, ...] = (
            merge_context,
            LineFields(_identity(self._settings), self._redaction),
            self.observers,
        )
        if self._settings.exporters["logs"] and not self._settings.disabled:
            return (*chain, OtelLogProcessor(self.provider, self._faults))
        return chain


class InstalledLines:
    """What turns events of structlog and records of the standard library into lines."""

    _installed: ClassVar[list[InstalledLines]] = []
    """The latest is in force: a test captures telemetry in a process that is configured already."""
    _of_application: ClassVar[dict[str, Any]] = {}
    """The configuration of structlog before; empty if the application did not configure it."""

    def __init__(
        self,
        processors: list[Any],
        writer: LineWriter,
        faults: Faults,
        *,
        level: int,
        cache: bool,
    ) -> None:
        self._processors: Final = processors
        self._writer: Final = writer
        self._faults: Final = faults
        self._cache: Final = cache
        self._bound_logger: Final = create_bound_logger(level, faults)
        self._repeated: Final = RepeatedWarnings(faults)
        self.handlers: Final = ConsoleHandlers(self._write, level)

    def install(self) -> None:
        """Configure structlog and the standard library."""
        if not self._installed and structlog.is_configured():
            self._of_application.update(structlog.get_config())
        self._installed.append(self)
        self.configure_structlog()
        self.handlers.install()

    def uninstall(self) -> None:
        """Restore the configurations of before, unless later telemetry is installed."""
        self.handlers.restore()
        self._installed.remove(self)
        if self._installed:
            self._installed[-1].configure_structlog()
        else:
            structlog.reset_defaults()
            if self._of_application:
                structlog.configure(**self._of_application)
            self._of_application.clear()
        self._writer.close()

    def configure_structlog(self) -> None:
        """Let structlog write lines through these processors."""
        OUTPUT.use(self._processors, self._writer.write)
        structlog.configure(
            processors=OUTPUT.processors,
            context_class=dict,
            wrapper_class=self._bound_logger,
            logger_factory=LineLogger,
            cache_logger_on_first_use=self._cache,
        )

    def _write(self, record: logging.LogRecord) -> None:
        """Write a record of the standard library as a line, now or at the end of its request."""
        if not self._repeated.is_repeated(record) and not is_held(record, self._write_now):
            self._write_now(record)

    def _write_now(self, record: logging.LogRecord) -> None:
        try:
            line: Any = event_of(record, self._faults)
            level = record.levelname.lower()
            for processor in self._processors:
                line = processor(record, level, line)
            self._writer.write(line)
        except Exception as error:
            reraise_interruption(error)
            detail = f"{record.pathname}:{record.lineno}: {error!r}"
            self._faults.report("log record", type(error).__name__, detail)


def _identity(settings: Settings) -> Mapping[str, str]:
    identity = {"service_name": settings.service_name, "service_namespace": settings.namespace}
    return {key: value for key, value in identity.items() if value}
