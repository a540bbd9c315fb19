"""The logs signal: JSON lines on a stream, the same from every library, and optionally OTLP."""

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
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.settings import Settings
from otel_meta.runtime.text import in_words

from .access import ACCESS_LOGGER, access_fields, access_of
from .otlp import OtelLogProcessor
from .processors import before_rendering, render, structured_exceptions

_SERVER_LOGGERS: Final = ("uvicorn", ACCESS_LOGGER, "uvicorn.error")
_FAILED: Final = 400


class Lines:
    """A stream that takes whole lines from any thread, and does not fail its writers."""

    def __init__(self, stream: BinaryIO, faults: Faults) -> None:
        self._stream: Final = stream
        self._faults: Final = faults
        self._lock: Final = Lock()

    def write(self, line: bytes) -> None:
        """Write one line. A closed or broken stream is counted."""
        try:
            with self._lock:
                self._stream.write(line + b"\n")
                self._stream.flush()
        except (OSError, ValueError):
            self._faults.count_only("log stream", "unwritable")


class LineLogger:
    """What structlog hands its rendered lines to."""

    __slots__ = ("_write", "name")

    def __init__(self, lines: Lines, *names: object) -> None:
        self._write = lines.write
        self.name = in_words(names[0]) if names and names[0] else "root"

    def msg(self, line: bytes) -> None:
        """Write a line, at whatever level."""
        self._write(line)

    debug = info = warning = error = critical = fatal = exception = log = msg


class StandardHandler(logging.Handler):
    """Takes the standard library's records through the same chain."""

    def __init__(self, lines: Lines, formatter: ProcessorFormatter, faults: Faults) -> None:
        super().__init__()
        self._lines: Final = lines
        self._faults: Final = faults
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a JSON line."""
        try:
            self._lines.write(self.format(record).encode("utf-8", "replace"))
        except Exception as error:
            self._faults.count_only("log record", type(error).__name__)


class AccessLogFilter(logging.Filter):
    """Drops access lines of paths that are called by machines every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: Final[set[str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is of interest."""
        access = access_of(record.args)
        return access is None or access.status >= _FAILED or access.path not in self.paths


class Logs:
    """The logger provider, and the logging of the process from `install` to `uninstall`."""

    def __init__(
        self, settings: Settings, resource: Resource, faults: Faults, outage: DeliveryMonitor
    ) -> None:
        self._settings: Final = settings
        self._faults: Final = faults
        self.provider: Final = LoggerProvider(resource, shutdown_on_exit=False)
        for name in () if settings.disabled else settings.exporters["logs"]:
            exporter = create_exporter("logs", name, settings)
            outage.watch(exporter, "logs")
            self.provider.add_log_record_processor(LogQueue(exporter, faults))
        self._before: tuple[list[logging.Handler], int] | None = None
        self._hushed: Final = AccessLogFilter()

    def silence_access_logs(self, paths: Iterable[str]) -> None:
        """Log no access to these paths, unless it failed: scrapes and probes say nothing new."""
        self._hushed.paths.update(paths)

    def install(self, stream: BinaryIO, *, cache: bool) -> None:
        """Make JSON lines of everything that this process logs.

        Args:
            stream: where lines go.
            cache: let loggers keep their set-up after first use, which is faster and final.
        """
        chain = self._chain()
        to_json = render(self._on_fault)
        lines = Lines(stream, self._faults)
        structlog.configure(
            processors=[*chain, structured_exceptions(), to_json],
            wrapper_class=structlog.make_filtering_bound_logger(self._settings.log_level),
            logger_factory=partial(LineLogger, lines),
            cache_logger_on_first_use=cache,
        )
        self._install_standard(lines, chain, to_json)

    def take_over_server_loggers(self) -> None:
        """Take over uvicorn's loggers, which it sets up with handlers of its own at start."""
        if self._before is None:
            return
        for name in _SERVER_LOGGERS:
            server = logging.getLogger(name)
            server.handlers.clear()
            server.propagate = True
        logging.getLogger(ACCESS_LOGGER).addFilter(self._hushed)

    def uninstall(self) -> None:
        """Give the standard library's root logger back as it was, and structlog its defaults."""
        if self._before is None:
            return
        logging.getLogger(ACCESS_LOGGER).removeFilter(self._hushed)
        root = logging.getLogger()
        root.handlers[:], level = self._before
        root.setLevel(level)
        structlog.reset_defaults()
        self._before = None

    def flush(self, timeout: float) -> None:
        """Export what has been logged. The SDK heeds no timeout here, so the caller has to."""
        self.provider.force_flush(int(timeout * 1000))

    def shutdown(self, _timeout: float) -> None:
        """Export what has been logged, and no more."""
        self.provider.shutdown()

    def _chain(self) -> tuple[Processor, ...]:
        chain = before_rendering(_identity(self._settings))
        if self._settings.exporters["logs"] and not self._settings.disabled:
            return (*chain, OtelLogProcessor(self.provider, self._faults))
        return chain

    def _install_standard(self, lines: Lines, chain: tuple[Processor, ...], to_json: Any) -> None:
        def to_text(logger: Any, method: str, event: EventDict) -> str:
            rendered: bytes = to_json(logger, method, event)
            return rendered.decode()

        formatter = ProcessorFormatter(
            foreign_pre_chain=[ExtraAdder(), access_fields, *chain, structured_exceptions()],
            processors=[ProcessorFormatter.remove_processors_meta, to_text],
            pass_foreign_args=True,
        )
        root = logging.getLogger()
        self._before = (root.handlers.copy(), root.level)
        root.handlers[:] = [StandardHandler(lines, formatter, self._faults)]
        root.setLevel(self._settings.log_level)
        self.take_over_server_loggers()

    def _on_fault(self, reason: str, _error: object) -> None:
        # Not reported: that would be one more line through what just failed.
        self._faults.count_only("log line", reason)


def _identity(settings: Settings) -> Mapping[str, str]:
    identity = {"service_name": settings.service_name, "service_namespace": settings.namespace}
    return {key: value for key, value in identity.items() if value}
