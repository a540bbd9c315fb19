"""Readiness of the application: started, not stopping, and its own check passes."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from otel_meta.runtime.recording.faults import Faults

Check = Callable[[], bool | Awaitable[bool]]

_STARTED_AFTER: Final = {
    "lifespan.startup": False,
    "lifespan.startup.complete": True,
    "lifespan.shutdown": False,
}


class Readiness:
    """Follows the lifespan messages, and calls the application's check.

    Args:
        check: returns True if the application's dependencies are available; may be a coroutine
            function.
        faults: counts exceptions of the check.
    """

    def __init__(self, check: Check | None, faults: Faults) -> None:
        self._check: Final = check
        self._faults: Final = faults
        self._started = True  # for servers without lifespan messages

    def on_lifespan_message(self, message_type: str) -> None:
        """Update the state after a lifespan message in either direction."""
        self._started = _STARTED_AFTER.get(message_type, self._started)

    async def ready(self) -> bool:
        """Return True if the application can take requests; False if its check raises."""
        if not self._started or self._check is None:
            return self._started
        try:
            result = self._check()
            return bool(await result if inspect.isawaitable(result) else result)
        except Exception as error:
            self._faults.report("readiness check", type(error).__name__, error)
            return False
