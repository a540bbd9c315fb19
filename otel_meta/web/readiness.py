"""Whether the application can take requests: started, not stopping, and fine by its own check."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from otel_meta.runtime.recording.faults import Faults

Check = Callable[[], bool | Awaitable[bool]]

_BECOMES: Final = {
    "lifespan.startup": False,
    "lifespan.startup.complete": True,
    "lifespan.shutdown": False,
}


class Readiness:
    """Follows the lifespan, and asks the application's own check.

    Args:
        check: says whether what the application needs is there; may be a coroutine function.
        faults: told when the check raises.
    """

    def __init__(self, check: Check | None, faults: Faults) -> None:
        self._check: Final = check
        self._faults: Final = faults
        self._started = True  # for servers that send no lifespan

    def heard(self, message_type: str) -> None:
        """Take note of a lifespan message."""
        self._started = _BECOMES.get(message_type, self._started)

    async def ready(self) -> bool:
        """Whether requests are welcome. A check that raises says no."""
        if not self._started or self._check is None:
            return self._started
        try:
            answer = self._check()
            return bool(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:
            self._faults.report("readiness check", type(error).__name__, error)
            return False
