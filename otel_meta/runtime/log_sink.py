"""Log lines to OpenTelemetry, before they are rendered: the JSON text is made for stdout alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from structlog.typing import EventDict, WrappedLogger

_SEVERITY: Final[Mapping[str, SeverityNumber]] = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_SAID_ELSEWHERE: Final = frozenset(
    {
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
"""Fields of the record or of its resource, which would otherwise be sent twice."""

_OWN: Final = ("opentelemetry", "otel_meta")
"""Lines about exporting are not exported: a failure would feed itself."""


class OtelSink:
    """A processor that emits each event as a log record and passes it on unchanged."""

    def __init__(self, provider: LoggerProvider) -> None:
        self._logger: Final = lru_cache(maxsize=256)(provider.get_logger)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Emit the event under its logger's name, within the current span."""
        name = event.get("logger") or "root"
        if not name.startswith(_OWN):
            _emit(self._logger(name), event)
        return event


def _emit(logger: Logger, event: EventDict) -> None:
    level = event.get("level", "info")
    logger.emit(
        body=str(event.get("event", "")),
        severity_number=_SEVERITY.get(level, SeverityNumber.UNSPECIFIED),
        severity_text=level.upper(),
        attributes={str(k): _value(v) for k, v in event.items() if k not in _SAID_ELSEWHERE},
        exception=_exception(event.get("exc_info")),
    )


def _value(value: Any) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else repr(value)


def _exception(exc_info: Any) -> BaseException | None:
    match exc_info:
        case True:
            return sys.exception()
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case _:
            return None
