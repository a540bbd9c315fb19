"""The log lines of some traces, from files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_meta.fleet.answers import one_line

from .bad_exemplars import TRACE_ID

_PER_TRACE: Final = 5
_FIRST: Final = ("timestamp", "level", "service_name", "event", "message")
_LAST: Final = ("exception_type", "exception_message")


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
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _text(record: Mapping[str, Any]) -> str:
    shown = (record[name] for name in (*_FIRST, *_LAST) if record.get(name))
    return one_line("  ".join(map(str, shown)))
