"""The time of a log line as text: all but the microseconds are formatted once a second."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from time import time_ns

_SECOND = 1_000_000


def timestamp(moment: float | None = None) -> str:
    """Return a moment in seconds, or the current one, in ISO 8601, UTC, with microseconds."""
    microseconds = time_ns() // 1_000 if moment is None else round(moment * _SECOND)
    return f"{_text_of(microseconds // _SECOND)}.{microseconds % _SECOND:06d}Z"


@lru_cache(maxsize=4)
def _text_of(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]
