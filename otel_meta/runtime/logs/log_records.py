"""Records of the standard library as events of structlog."""

from __future__ import annotations

import logging
from itertools import filterfalse
from typing import Any, Final

from structlog.typing import EventDict

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults

from .access import add_access_fields
from .failed_message import MessageFault

_STANDARD: Final = frozenset(
    {
        *vars(logging.LogRecord("", 0, "", 0, "", (), None)),
        "asctime",  # set by a Formatter of another handler, as message and exc_text
        "color_message",  # uvicorn's message again, coloured for terminals
        "message",
        "taskName",
    }
)
"""Attributes that are no fields of the application."""


def event_of(record: logging.LogRecord, faults: Faults) -> EventDict:
    """Return the event of a record, which remains unchanged for other handlers."""
    attributes = vars(record)
    event = {name: attributes[name] for name in filterfalse(_STANDARD.__contains__, attributes)}
    if "event" in event:
        event["event_"] = event.pop("event")
    try:
        event["event"] = record.getMessage()
    except Exception as error:
        reraise_interruption(error)
        event.update(_of_failed_message(record, error, faults))
    if record.exc_info:
        event["exc_info"] = record.exc_info
    elif record.exc_text:  # the record comes from another process, through a queue or socket
        event["exception_stacktrace"] = record.exc_text
    if record.stack_info:
        event["stack"] = record.stack_info
    return add_access_fields(record, event)


def _of_failed_message(
    record: logging.LogRecord, error: Exception, faults: Faults
) -> dict[str, Any]:
    arguments = record.args if isinstance(record.args, tuple) else (record.args,)
    fault = MessageFault(record.msg, arguments, error, f"{record.pathname}:{record.lineno}")
    fault.report(faults)
    return {"event": record.msg, **fault.fields()}
