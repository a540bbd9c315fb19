"""Export of log events to OpenTelemetry, before the events are rendered to JSON for the stream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from structlog.typing import EventDict, WrappedLogger

from otel_meta.runtime.export.attempts import exporting
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.text import utf8_text

from .exceptions import get_exception

_SEVERITY: Final[Mapping[str, SeverityNumber]] = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_NOT_ATTRIBUTES: Final = frozenset(
    {
        "_from_structlog",
        "_record",
        "event",
        "exc_info",
        "level",
        "logger",
        "service_name",
        "service_namespace",
        "span_id",
        "timestamp",
        "trace_flags",
        "trace_id",
    }
)
"""Fields of log record or resource, sent elsewhere."""

_NOT_EXPORTED: Final = ("opentelemetry", "otel_meta")
"""Loggers excluded from export: each failed export would cause the next export."""


class OtelLogProcessor:
    """A structlog processor: emits each event as a log record, and returns the event unchanged."""

    def __init__(self, provider: LoggerProvider, faults: Faults) -> None:
        self._faults: Final = faults
        self._logger: Final = lru_cache(maxsize=256)(provider.get_logger)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Emit the event under the logger's name, with the ids of the current span."""
        name = event.get("logger") or "root"
        if not exporting.get() and not name.startswith(_NOT_EXPORTED):
            try:
                _emit(self._logger(name), event)
            except Exception as error:
                self._faults.count_only("log record", type(error).__name__)
        return event


def _emit(logger: Logger, event: EventDict) -> None:
    level = event.get("level", "info")
    logger.emit(
        body=utf8_text(event.get("event", "")),
        severity_number=_SEVERITY.get(level, SeverityNumber.UNSPECIFIED),
        severity_text=level.upper(),
        attributes={utf8_text(k): _value(v) for k, v in event.items() if k not in _NOT_ATTRIBUTES},
        exception=get_exception(event.get("exc_info")),
    )


def _value(value: Any) -> str | bool | int | float:
    return value if isinstance(value, bool | int | float) else utf8_text(value)
