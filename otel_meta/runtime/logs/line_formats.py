"""Formats of a line: JSON for collectors, logfmt, and coloured columns for people on a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

import orjson
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.typing import EventDict, WrappedLogger

from otel_meta.runtime.interruption import reraise_interruption

from .access import ACCESS_EVENT
from .field_values import FieldRenderer, render_fields

Render = Callable[[WrappedLogger, str, EventDict], bytes]
_JSON_OPTIONS: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_LOGFMT_QUOTED: Final = re.compile(r'[\s="\\\x00-\x1f]|^$')
_LOGFMT_NO_KEY: Final = re.compile(r'[\s="\x00-\x1f]+|^$')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that move the cursor or change the terminal; tab and newline are not among them."""
_NOT_FOR_PEOPLE: Final = frozenset(
    {"exception_message", "exception_type", "service_name", "service_namespace"}
    | {"http_version", "span_id", "trace_flags"}
)
"""Fields that a terminal leaves out: equal in all lines, in the traceback, or for machines."""
_REQUEST: Final = ("http_request_method", "url_path", "http_response_status_code")
"""Fields of an access line that say more than the message."""
_LAST: Final = ("request_id", "trace_id")
"""Long ids, which would push the fields of the application out of sight."""


def create_renderer(name: str, stream: BinaryIO, environ: Mapping[str, str] = os.environ) -> Render:
    """Return the renderer of a format.

    Args:
        name: json, logfmt, console, or auto: console if the stream is a terminal, else json.
        stream: the stream for the lines.
        environ: environment variables; NO_COLOR and FORCE_COLOR decide on colours.
    """
    is_terminal = _is_terminal(stream)
    if name == "console" or (name == "auto" and is_terminal):
        return create_console(colors=_has_colors(environ, is_terminal=is_terminal))
    return to_logfmt if name == "logfmt" else to_json


def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    """Render a line of JSON in UTF-8."""
    try:
        return orjson.dumps(event, FieldRenderer().render, _JSON_OPTIONS)
    except Exception as error:  # a processor of the application added an unusual value
        reraise_interruption(error)
        return orjson.dumps(render_fields(event))


def to_logfmt(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    """Render a line of logfmt; lists and maps are JSON."""
    pairs = (f"{_LOGFMT_NO_KEY.sub('_', key)}={_logfmt(value)}" for key, value in event.items())
    return " ".join(pairs).encode("utf-8", "replace")


def _logfmt(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return orjson.dumps(text).decode() if _LOGFMT_QUOTED.search(text) else text


def create_console(*, colors: bool) -> Render:
    """Return the renderer for people: time, level, message, fields, and a traceback below."""
    columns = ConsoleRenderer(colors=colors, sort_keys=False, exception_formatter=plain_traceback)

    def to_console(logger: WrappedLogger, method: str, event: EventDict) -> bytes:
        shown = {
            _escaped(key): _escaped(value)
            for key, value in event.items()
            if key not in _NOT_FOR_PEOPLE
        }
        shown["timestamp"] = _local_time(event)
        shown["event"] = _title(shown).replace("\n", "\n    ")
        shown.update({name: shown.pop(name) for name in _LAST if name in shown})
        shown["exception"] = shown.pop("exception_stacktrace", None)
        return columns(logger, method, shown).encode("utf-8", "replace")

    return to_console


def _title(shown: EventDict) -> str:
    """Return the message; of a request, take method, path and status out of the fields."""
    if shown.get("event") == ACCESS_EVENT and shown.keys() >= set(_REQUEST):
        return " ".join(str(shown.pop(name)) for name in _REQUEST)
    return str(shown.get("event", ""))


def _escaped(value: Any) -> Any:
    """Return a text whose control characters are visible; a client could change the terminal."""
    if isinstance(value, str):
        return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)
    return value


def _local_time(event: EventDict) -> str:
    moment = datetime.fromisoformat(event["timestamp"]).astimezone()
    return moment.strftime("%H:%M:%S.%f")[:-3]


def _has_colors(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (is_terminal and environ.get("TERM") != "dumb")


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False
