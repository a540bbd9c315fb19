"""Processors of every log line, from structlog, the standard library and servers alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext
from structlog.contextvars import get_contextvars
from structlog.processors import StackInfoRenderer
from structlog.typing import EventDict, WrappedLogger

from otel_meta.runtime.redaction import DEFAULT, Redaction
from otel_meta.runtime.text import utf8_text

from .exceptions import get_exception, ids_of
from .field_values import FieldRenderer, is_plain, render_fields
from .timestamps import timestamp
from .traceback_text import render_exception

_FIRST: Final = frozenset({"timestamp", "level", "event", "logger"})
"""Fields with which every line begins."""
_ADDED: Final = (
    _FIRST
    | {"service_name", "service_namespace"}
    | {"trace_id", "span_id", "trace_flags"}
    | {"exception_type", "exception_message", "exception_stacktrace"}
)
"""Fields that a line may have besides those of the application."""
_render_stack: Final = StackInfoRenderer(additional_ignores=["otel_meta"])


def merge_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the variables bound to the context; the fields of the line take precedence."""
    bound = get_contextvars()
    if not bound:
        return event
    if "event" in bound:
        bound["event_"] = bound.pop("event")
    return {**bound, **event}


class LineFields:
    """The processor that makes the fields of a line from an event.

    Values are rendered, and what every line has is added: time, level, logger, identity of the
    service, ids of the current span, the exception, and the stack if the call asks for one. A field
    of the application with the name of one of these is kept, with an underscore after its name.

    Args:
        identity: the fields that name the service.
        redaction: hides the secrets among the values.
    """

    def __init__(self, identity: Mapping[str, str], redaction: Redaction = DEFAULT) -> None:
        self._identity: Final = identity
        self._redaction: Final = redaction

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return the line's fields: the most important first, ids last."""
        if "stack_info" in event:
            event = _render_stack(logger, method, event)
        error = get_exception(event.pop("exc_info")) if "exc_info" in event else None
        message = self._redaction.message(_message(event.pop("event", "")))
        given = render_fields(event, self._redaction)
        last = {**self._identity, **current_ids()}
        if error is not None:
            last.update(exception_fields(error, self._redaction))
            for name, value in ids_of(error).items():
                if name not in given:
                    last.setdefault(name, value)
        if not _ADDED.isdisjoint(given):
            given = {f"{k}_" if k in last or k in _FIRST else k: v for k, v in given.items()}
        return {
            "timestamp": timestamp(logger.created),
            "level": method,
            "event": message,
            "logger": logger.name,
            **given,
            **last,
        }


def exception_fields(error: BaseException, redaction: Redaction) -> dict[str, str]:
    """Return the fields of an exception, named after OpenTelemetry's conventions."""
    kind, message, stacktrace = render_exception(error)
    return {
        "exception_type": kind,
        "exception_message": redaction.text(message),
        "exception_stacktrace": redaction.text(stacktrace),
    }


def current_ids(within: Context | None = None) -> Mapping[str, str]:
    """Return the ids of a context's span, sampled or not, in the order of a traceparent.

    Common recipes return ids only if ``span.is_recording()``. Unsampled requests then have no ids,
    although the caller may have sampled the trace.
    """
    return span_ids(trace.get_current_span(within).get_span_context())


def span_ids(span: SpanContext) -> Mapping[str, str]:
    """Return the ids of a span; none if the span is invalid."""
    return _id_fields(span.trace_id, span.span_id, span.trace_flags)


@lru_cache(maxsize=512)
def _id_fields(trace_id: int, span_id: int, trace_flags: int) -> Mapping[str, str]:
    """Return the formatted ids, which a span has in all of its lines."""
    if not SpanContext(trace_id, span_id, is_remote=False).is_valid:
        return {}
    return {
        "trace_id": f"{trace_id:032x}",
        "span_id": f"{span_id:016x}",
        "trace_flags": f"{trace_flags:02x}",
    }


def _message(event: Any) -> str:
    rendered = event if is_plain(event) else FieldRenderer().render(event)
    text = rendered if isinstance(rendered, str) else utf8_text(rendered)
    return text.rstrip("\r\n")
