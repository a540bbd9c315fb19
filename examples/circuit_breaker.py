"""A circuit breaker: stop calls after repeated failures, and try one call after a pause."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

State = Literal["closed", "open", "half_open"]
T = TypeVar("T")


class CircuitOpenError(Exception):
    """The breaker is open, and the call was not made."""


class CircuitBreaker:
    """Stops calls while it is open. For one event loop; not thread-safe.

    Args:
        failures: consecutive failures that open the breaker.
        retry_after: seconds from opening until one trial call.
        on_change: called with each new state.
        clock: a monotonic time in seconds.
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
        self._trial_running = False

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Call the operation, and count its result.

        Raises:
            CircuitOpenError: the breaker is open.
        """
        self._check_open()
        changes = self._changes
        try:
            result = await operation()
        except Exception:
            self._count(changes, succeeded=False)
            raise
        finally:
            # Also after a cancellation: the next call may be the trial.
            if changes == self._changes:
                self._trial_running = False
        self._count(changes, succeeded=True)
        return result

    def _check_open(self) -> None:
        if self.state == "open" and self._clock() - self._opened_at >= self._retry_after:
            self._enter("half_open")
        if self.state == "open" or self._trial_running:
            raise CircuitOpenError
        self._trial_running = self.state == "half_open"

    def _count(self, changes: int, *, succeeded: bool) -> None:
        # A call from before the last change of state does not count.
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
        self._trial_running = False
        self._opened_at = self._clock()
        self._on_change(state)
