"""A clock for tests, set by hand."""

from __future__ import annotations


class FakeClock:
    """Returns the same time, in seconds, until a test advances the clock.

    Args:
        now: the first time; also a writable attribute.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Add seconds to the time."""
        self.now += seconds
