"""Going through thousands of things without keeping other threads from theirs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_STRETCH: Final = 0.0005
"""Seconds until other threads get their turn: short against a request."""
_TURN: Final = 0.00005
"""Seconds that they get: enough for one that waits to wake up, which then runs as it needs."""


def unhurried(items: Iterable[T]) -> Iterator[T]:
    """The items, with a pause wherever half a millisecond has gone by."""
    since = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - since > _STRETCH:
            time.sleep(_TURN)
            since = time.perf_counter()
