"""Warnings about the input of clients, who must not decide how many lines a service writes."""

from __future__ import annotations

import logging
from typing import Final

from otel_meta.runtime.recording.faults import Faults

_LIBRARIES: Final = frozenset({"opentelemetry", "multipart", "python_multipart"})
"""Packages that log a line for each malformed part of a request, such as a header entry."""
_INTERVAL: Final = 60.0
_MAX_TEMPLATES: Final = 256


class RepeatedWarnings:
    """Lets one line a minute pass for each logger and message template, and counts the rest."""

    def __init__(self, faults: Faults) -> None:
        self._faults: Final = faults
        self._seen: Final[dict[tuple[str, object], tuple[float, int]]] = {}

    def is_repeated(self, record: logging.LogRecord) -> bool:
        """Return True for a record to leave out; the next one has the number of those left out."""
        if record.levelno > logging.WARNING or record.name.partition(".")[0] not in _LIBRARIES:
            return False
        key = self._key(record)
        last, left_out = self._seen.get(key, (-_INTERVAL, 0))
        if record.created - last < _INTERVAL:
            self._seen[key] = (last, left_out + 1)
            self._faults.count_only("log record", "repeated")
            return True
        self._seen[key] = (record.created, 0)
        if left_out:
            record.repeated = left_out
        return False

    def _key(self, record: logging.LogRecord) -> tuple[str, object]:
        message: object = record.msg
        key = record.name, message if isinstance(message, str) else None
        return key if key in self._seen or len(self._seen) < _MAX_TEMPLATES else (record.name, None)
