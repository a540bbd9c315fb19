"""The log lines of some traces, from files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from otel_meta.fleet.answers import one_line

from .bad_exemplars import TRACE_ID

_PER_TRACE: Final = 5
_REQUEST: Final = ("http_request_method", "http_route", "http_response_status_code")
_FIRST: Final = ("timestamp", "level", "service_name", "event", "message", *_REQUEST)
"""Fields whose values need no name."""
_LEFT_OUT: Final = frozenset(
    {
        *(*_FIRST, TRACE_ID, "span_id", "trace_flags", "request_id"),
        *("logger", "service_namespace", "exception_stacktrace"),
        *("client_address", "http_version"),
    }
)


def log_lines(lines: Iterable[str], trace_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the log lines by trace id, with the fields that a person reads first.

    Lines that are no JSON objects are passed over. The last lines of a trace are kept: those are
    nearest to its failure.
    """
    found: dict[str, list[str]] = {trace_id: [] for trace_id in trace_ids}
    for line in lines:
        if not any(trace_id in line for trace_id in found):
            continue
        record = _record(line)
        kept = found.get(str(record.get(TRACE_ID, "")))
        if kept is not None:
            kept.append(_text(record))
            del kept[:-_PER_TRACE]
    return found


def _record(line: str) -> Mapping[str, Any]:
    try:
        record: Any = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, Any]", record) if isinstance(record, dict) else {}


def _text(record: Mapping[str, Any]) -> str:
    first = (str(record[name]) for name in _FIRST if record.get(name))
    others = (f"{name}={value}" for name, value in record.items() if name not in _LEFT_OUT)
    return one_line(" ".join((*first, *others)))
