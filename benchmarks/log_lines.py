"""The cost of a log line with two fields in process CPU, written to /dev/null. ``make bench``.

Plain text by the standard library is the baseline: a line has a time, a level, a logger and a
message. The JSON lines of the standard library and of structlog, as structlog documents its
fastest configuration, have the same parts and the fields. A line of otel_meta also has the name of
the service and the ids of the span, and secrets are redacted.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any, Final

import orjson
import structlog
from comparison import OURS, Call, Row, microseconds, print_table
from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span

from otel_meta import configure

TEXT: Final = "logging, text"
JSON: Final = "logging, JSON"
STRUCTLOG: Final = "structlog, JSON"
BUDGETS: Final = {TEXT: 1.0}
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """The formatter that many services have: the usual attributes, and those of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line of JSON."""
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        return orjson.dumps(line).decode()


def baselines() -> dict[str, Call]:
    """Return the calls that write a line by the libraries alone."""
    text = _standard(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    json, fast = _standard(JsonFormatter()), _structlog()
    return {
        TEXT: lambda: text("order placed order=%s total=%s", 17, 12.5),
        JSON: lambda: json("order placed", extra={"order": 17, "total": 12.5}),
        STRUCTLOG: lambda: fast.info("order placed", order=17, total=12.5),
    }


def by_structlog() -> Call:
    """Return the call of structlog that writes a line of otel_meta."""
    logger = structlog.get_logger("shop")
    return lambda: logger.info("order placed", order=17, total=12.5)


def by_logging() -> Call:
    """Return the call of the standard library that writes a line of otel_meta."""
    info = logging.getLogger("shop").info
    return lambda: info("order placed", extra={"order": 17, "total": 12.5})


def main() -> None:
    """Print the table."""
    span = NonRecordingSpan(SpanContext(7, 7, is_remote=False))
    with configure("shop", log_stream=_nowhere("wb"), set_global=False, environ={}):
        rows = [_row("a line by structlog", by_structlog(), BUDGETS)]
        with use_span(span):
            rows.append(_row("a line by structlog in a span", by_structlog(), BUDGETS))
            rows.append(_row("a line by logging in a span", by_logging()))
    print_table(rows, (TEXT, JSON, STRUCTLOG), ("orjson", "structlog"))


def _row(title: str, call: Call, budgets: Mapping[str, float] | None = None) -> Row:
    costs = microseconds({OURS: call, **baselines()}, process_time)
    return Row(title, costs, budgets or {})


def _standard(formatter: logging.Formatter) -> Callable[..., None]:
    handler = logging.StreamHandler(_nowhere("w"))
    handler.setFormatter(formatter)
    logger = logging.getLogger(f"benchmark.{type(formatter).__name__}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [handler]
    return logger.info


def _structlog() -> Any:
    return structlog.wrap_logger(
        structlog.BytesLogger(_nowhere("wb")),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _nowhere(mode: str) -> Any:
    return Path(os.devnull).open(mode)


if __name__ == "__main__":
    main()
