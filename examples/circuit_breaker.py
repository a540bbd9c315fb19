"""A circuit breaker: stop calling what keeps failing, and try again with one call after a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

State = Literal["closed", "open", "half_open"]
T = TypeVar("T")


class CircuitOpenError(Exception):
    """The call was not made."""


class CircuitBreaker:
    """Lets calls through while they succeed. For one event loop; not safe under threads.

    Args:
        failures: that many in a row open it.
        retry_after: seconds until a call is let through to see whether things are well again.
        on_change: told of every state entered.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        *,
        failures: int,
        retry_after: float,
        on_change: Callable[[State], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state: State = "closed"
        self._limit = failures
        self._retry_after = retry_after
        self._on_change = on_change
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._changes = 0
        self._trying = False

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and learn from how it goes.

        Raises:
            CircuitOpenError: it was not made.
        """
        self._admit()
        changes = self._changes
        try:
            result = await operation()
        except Exception:
            self._learn(changes, succeeded=False)
            raise
        finally:
            # However the call ended, and be it by cancellation: the next one may try.
            if changes == self._changes:
                self._trying = False
        self._learn(changes, succeeded=True)
        return result

    def _admit(self) -> None:
        if self.state == "open" and self._clock() - self._opened_at >= self._retry_after:
            self._enter("half_open")
        if self.state == "open" or self._trying:
            raise CircuitOpenError
        self._trying = self.state == "half_open"

    def _learn(self, changes: int, *, succeeded: bool) -> None:
        # A call that began before the latest change says nothing about the time since.
        if changes != self._changes:
            return
        self._failures = 0 if succeeded else self._failures + 1
        if succeeded and self.state == "half_open":
            self._enter("closed")
        elif self.state == "half_open" or self._failures >= self._limit:
            self._enter("open")

    def _enter(self, state: State) -> None:
        self.state = state
        self._changes += 1
        self._failures = 0
        self._trying = False
        self._opened_at = self._clock()
        self._on_change(state)
