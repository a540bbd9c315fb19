"""Processors of every log line, from structlog, the standard library and uvicorn alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import structlog
from opentelemetry import trace
from structlog.processors import ExceptionRenderer, StackInfoRenderer, TimeStamper
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from otel_meta.runtime.text import utf8_text

from .exceptions import add_ids_of_exception

_LEADING_KEYS: Final = ("timestamp", "level", "event", "logger")
_INT64: Final = 2**63


def shared_processors(identity: Mapping[str, str]) -> tuple[Processor, ...]:
    """Return the processors for logger, level, ids, time and identity."""
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        _add_identity(identity),
        add_trace_ids,
        add_ids_of_exception,
        TimeStamper(fmt="iso", utc=True),
        StackInfoRenderer(),
    )


def structured_exceptions() -> Processor:
    """Render exceptions as frames, without locals: passwords or personal data must not leak."""
    return ExceptionRenderer(ExceptionDictTransformer(show_locals=False))


def add_trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span, sampled or not.

    Common recipes add ids only if ``span.is_recording()``. Unsampled requests then have no ids,
    although the caller may have sampled the trace.
    """
    event.update(current_ids())
    return event


def current_ids() -> dict[str, str]:
    """Return the ids of the current span in the order of a traceparent; empty without a span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "trace_flags": f"{context.trace_flags:02x}",
    }


def json_renderer(
    on_fault: Callable[[str, object], None],
) -> Callable[[Any, str, EventDict], bytes]:
    """Return a structlog renderer of any event to a line of JSON in UTF-8.

    Args:
        on_fault: called with a reason and the error if orjson refuses an event; the event is then
            rendered value by value.
    """

    def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
        line = {key: event.pop(key) for key in _LEADING_KEYS if key in event}
        line.update(event)
        try:
            return orjson.dumps(line, default=_plain, option=orjson.OPT_NON_STR_KEYS)
        except Exception as error:
            on_fault("render", error)
            return _render_fallback(line)

    return to_json


def _add_identity(identity: Mapping[str, str]) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.update(identity)
        return event

    return add


def _plain(value: object) -> object:
    """Convert a value of a type unknown to orjson; numpy floats stay numbers."""
    return float(value) if isinstance(value, float) else repr(value)


def _render_fallback(line: Mapping[Any, Any]) -> bytes:
    """Render lone surrogates, cycles, integers over 64 bits, and values with a raising `repr`."""
    return orjson.dumps({utf8_text(key): _fallback_value(value) for key, value in line.items()})


def _fallback_value(value: object) -> object:
    if isinstance(value, float):
        return float(value)
    fits = isinstance(value, int) and -_INT64 <= value < _INT64
    return value if fits or value is None else utf8_text(value)
