"""Waiting for a condition instead of a time: a busy machine is slow, but its results are right."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

TIMEOUT = 180.0
"""Seconds until a condition that is still false is a failure."""
_INTERVAL = 0.05
"""Seconds between two calls of a probe, most of which are requests."""

T = TypeVar("T")


def poll(probe: Callable[[], T], timeout: float = TIMEOUT, interval: float = _INTERVAL) -> T:
    """Call a function until it returns a true value, and return this value.

    At the time-out, return the last value for the assertions of the caller.
    """
    deadline = time.monotonic() + timeout
    while not (value := probe()) and time.monotonic() < deadline:
        time.sleep(interval)
    return value


def poll_for(expected: object, probe: Callable[[], T], timeout: float = 60.0) -> T:
    """Call a function until it returns the expected value, and return this value.

    At the time-out, return the last value for the assertion of the caller.
    """
    deadline = time.monotonic() + timeout
    while (value := probe()) != expected and time.monotonic() < deadline:
        time.sleep(_INTERVAL)
    return value


def wait_until(
    condition: Callable[[], Any],
    problem: str = "the condition stays false",
    timeout: float = TIMEOUT,
    interval: float = _INTERVAL,
) -> None:
    """Return as soon as a condition is true.

    Raises:
        AssertionError: the condition is still false at the time-out.
    """
    assert poll(condition, timeout, interval), f"{problem} after {timeout:.0f} s"
