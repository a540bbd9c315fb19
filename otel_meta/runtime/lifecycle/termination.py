"""An export before SIGTERM ends the process, where nobody else handles the signal.

Kubernetes, systemd and cron wrappers end a job by SIGTERM. By default, the kernel then ends the
process at once, and Python runs no exit handler. The handler of this module exports, and then ends
the process by the same signal, so that the exit status is the same as without telemetry.

A handler of the application is never replaced, and one that is set later replaces this handler, as
those of servers and of Celery do. As for every handler in Python, a call into C that does not
return delays it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

from otel_meta.runtime.interruption import suppress_faults


class TerminationHandler:
    """Handles SIGTERM from `install` to `uninstall`.

    Args:
        export: exports everything recorded so far within a bound.
        is_stopping: returns True during a shutdown, which this handler may have interrupted.
    """

    def __init__(self, export: Callable[[], object], is_stopping: Callable[[], bool]) -> None:
        self._export: Callable[[], object] = export
        self._is_stopping: Final = is_stopping
        self._is_pending = False

    def install(self) -> None:
        """Handle SIGTERM, if this is the main thread and nothing else handles the signal."""
        current = signal.getsignal(signal.SIGTERM)
        is_ours = isinstance(getattr(current, "__self__", None), TerminationHandler)
        if current is signal.SIG_DFL or is_ours:
            _set(self._handle)

    def uninstall(self) -> None:
        """Restore the default action, and end the process if it was to end during the shutdown."""
        self._export = _export_nothing  # another thread cannot set the action
        if signal.getsignal(signal.SIGTERM) == self._handle:
            _set(signal.SIG_DFL)
        if self._is_pending:
            self._is_pending = False
            signal.raise_signal(signal.SIGTERM)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        _set(signal.SIG_DFL)  # a second signal ends the process at once
        if self._is_stopping():
            self._is_pending = True  # the shutdown goes on as soon as this handler returns
            return
        try:
            self._export()
        finally:
            signal.raise_signal(number)
            _set(self._handle)  # only process 1 of a container gets here: the kernel spares it


def _export_nothing() -> None:
    """Telemetry is shut down."""


def _set(handler: object) -> None:
    with suppress_faults(ValueError):  # not in the main thread, or in a subinterpreter
        signal.signal(signal.SIGTERM, handler)  # type: ignore[arg-type]
