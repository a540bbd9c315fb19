"""What every log line goes through, whoever logs: structlog, the standard library or uvicorn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import structlog
from opentelemetry import trace
from structlog.processors import ExceptionRenderer, StackInfoRenderer, TimeStamper
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from otel_meta.runtime.text import in_words

from .exceptions import add_ids_of_exception

_FIRST: Final = ("timestamp", "level", "event", "logger")
_INT64: Final = 2**63


def before_rendering(identity: Mapping[str, str]) -> tuple[Processor, ...]:
    """Everything that a line says besides what its author wrote."""
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        _add(identity),
        add_trace_ids,
        add_ids_of_exception,
        TimeStamper(fmt="iso", utc=True),
        StackInfoRenderer(),
    )


def structured_exceptions() -> Processor:
    """Exceptions as frames. Without locals: they hold passwords, tokens and customers' data."""
    return ExceptionRenderer(ExceptionDictTransformer(show_locals=False))


def add_trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the current span wherever there is one, sampled or not.

    Asking whether the span is recording, as recipes have it, loses the ids of every request that
    was not sampled, though its caller may have kept the trace.
    """
    event.update(current_ids())
    return event


def current_ids() -> dict[str, str]:
    """The ids of the current span in the order of a traceparent; empty where there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "trace_flags": f"{context.trace_flags:02x}",
    }


def render(on_fault: Callable[[str, object], None]) -> Callable[[Any, str, EventDict], bytes]:
    """A renderer to JSON in UTF-8, one line an event, that renders anything somehow."""

    def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
        line = {key: event.pop(key) for key in _FIRST if key in event}
        line.update(event)
        try:
            return orjson.dumps(line, default=_plain, option=orjson.OPT_NON_STR_KEYS)
        except Exception as error:
            on_fault("render", error)
            return _by_all_means(line)

    return to_json


def _add(identity: Mapping[str, str]) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.update(identity)
        return event

    return add


def _plain(value: object) -> object:
    """What orjson does not know: a float of another type (numpy's), or anything at all."""
    return float(value) if isinstance(value, float) else repr(value)


def _by_all_means(line: Mapping[Any, Any]) -> bytes:
    """What orjson refuses: lone surrogates, cycles, integers over 64 bits, a `repr` that raises."""
    return orjson.dumps({in_words(key): _value(value) for key, value in line.items()})


def _value(value: object) -> object:
    if isinstance(value, float):
        return float(value)
    fits = isinstance(value, int) and -_INT64 <= value < _INT64
    return value if fits or value is None else in_words(value)
