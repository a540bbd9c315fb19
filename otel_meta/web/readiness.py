"""Readiness of the application: started, not stopping, and its own check passes."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from otel_meta.runtime.bounded_threads import BoundedThreads
from otel_meta.runtime.event_loops import current_loop
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults

Check = Callable[[], bool | Awaitable[bool]]

CHECK_TIMEOUT: Final = 5.0
"""Seconds for the check: orchestrators give up earlier, and ask again."""
_MAX_CHECKS: Final = 2
"""Plain functions that run at a time."""

_STARTED_AFTER: Final = {
    "lifespan.startup": False,
    "lifespan.startup.complete": True,
    "lifespan.shutdown": False,
}


class Readiness:
    """Follows the lifespan messages, and calls the application's check.

    Args:
        check: returns True if the application's dependencies are available. A coroutine function
            runs on the event loop, a plain function on a thread.
        faults: counts exceptions of the check.
        timeout: seconds for the check.
    """

    def __init__(
        self, check: Check | None, faults: Faults, *, timeout: float = CHECK_TIMEOUT
    ) -> None:
        self._check: Final = check
        self._timeout: Final = timeout
        self._threads: Final = BoundedThreads("readiness check", _MAX_CHECKS)
        self._faults: Final = faults
        self._started = True  # for servers without lifespan messages

    def on_lifespan_message(self, message_type: str) -> None:
        """Update the state after a lifespan message in either direction."""
        self._started = _STARTED_AFTER.get(message_type, self._started)

    async def ready(self) -> bool:
        """Return True if the application can take requests; False if its check fails or is late."""
        if not self._started or self._check is None:
            return self._started
        try:
            async with current_loop().time_limit(self._timeout):
                return await self._passes(self._check)
        except Exception as error:
            reraise_interruption(error)
            self._faults.report("readiness check", type(error).__name__, error)
            return False

    async def _passes(self, check: Check) -> bool:
        if _is_coroutine_function(check):
            result = check()
        else:  # a plain function may block
            result = await self._threads.run(check, self._timeout)
        return bool(await result if inspect.isawaitable(result) else result)


def _is_coroutine_function(check: Check) -> bool:
    called = type(check).__call__  # of an object that can be called
    return inspect.iscoroutinefunction(check) or inspect.iscoroutinefunction(called)
