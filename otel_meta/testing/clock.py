"""A clock that a test sets by hand."""

from __future__ import annotations


class FakeClock:
    """Callable that returns the time in seconds, and stands still between calls.

    Args:
        now: the time at the start; also an attribute that may be set.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Add seconds to the time."""
        self.now += seconds
