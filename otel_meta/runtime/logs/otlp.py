"""Export of log events to OpenTelemetry, before the events are rendered for the stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from threading import local
from typing import Any, Final

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context, get_current
from opentelemetry.sdk._logs import LoggerProvider
from structlog.typing import EventDict, WrappedLogger

from otel_meta.runtime.export.attempts import exporting
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults

from .processors import current_ids

_SEVERITY: Final[Mapping[str, SeverityNumber]] = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_NOT_ATTRIBUTES: Final = frozenset(
    {"event", "level", "logger", "service_name", "service_namespace", "timestamp"}
)
"""Fields of log record or resource, sent elsewhere."""
_OF_CONVENTIONS: Final[Mapping[str, str]] = {
    "exception_type": "exception.type",
    "exception_message": "exception.message",
    "exception_stacktrace": "exception.stacktrace",
}
"""Fields whose attributes have names that backends know."""

_NOT_EXPORTED: Final = ("opentelemetry", "otel_meta")
"""Loggers excluded from export: each failed export would cause the next export."""


class OtelLogProcessor:
    """A structlog processor: emits each event as a log record, and returns the event unchanged.

    A signal handler or a finalizer can run inside the SDK, whose locks do not allow a second entry
    of the same thread, and log a line. That line is emitted after the line under way.
    """

    def __init__(self, provider: LoggerProvider, faults: Faults) -> None:
        self._faults: Final = faults
        self._logger: Final = lru_cache(maxsize=256)(provider.get_logger)
        self._thread: Final = _Thread()

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Emit the event under the logger's name, with the ids of the current span."""
        name = event.get("logger", "root")
        if not exporting.get() and not name.startswith(_NOT_EXPORTED):
            self._thread.events.append((name, event, get_current()))
            self._drain(self._thread)
        return event

    def _drain(self, thread: _Thread) -> None:
        # Checked again after the end: a signal handler may have queued an event just before.
        while thread.events and not thread.is_emitting:
            thread.is_emitting = True
            try:
                while thread.events:
                    self._emit(*thread.events.popleft())
            finally:
                thread.is_emitting = False

    def _emit(self, name: str, event: EventDict, context: Context) -> None:
        try:
            _emit(self._logger(name), event, context)
        except Exception as error:
            reraise_interruption(error)
            self._faults.count_only("log record", type(error).__name__)


class _Thread(local):
    """The events of a thread that wait, and whether the thread emits an event."""

    def __init__(self) -> None:
        self.events: Final[deque[tuple[str, EventDict, Context]]] = deque()
        self.is_emitting = False


def _emit(logger: Logger, event: EventDict, context: Context) -> None:
    level = event.get("level", "info")
    logger.emit(
        body=event.get("event", ""),
        context=context,
        severity_number=_SEVERITY.get(level, SeverityNumber.UNSPECIFIED),
        severity_text=level.upper(),
        attributes=_attributes(event, context),
    )


def _attributes(event: EventDict, context: Context) -> dict[str, Any]:
    left_out = _NOT_ATTRIBUTES | current_ids(context).keys()
    return {_OF_CONVENTIONS.get(k, k): v for k, v in event.items() if k not in left_out and k}
