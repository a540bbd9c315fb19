"""A daemon thread that calls an action at an interval, and survives errors of the action."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import Faults


class Ticker:
    """Calls an action at an interval, on a daemon thread.

    Args:
        name: name of thread and faults.
        interval: seconds from the end of a call to the next call.
        action: the function to call; errors are counted, and do not stop the thread.
        faults: counts the errors.
    """

    def __init__(
        self, name: str, interval: float, action: Callable[[], object], faults: Faults
    ) -> None:
        self._name: Final = name
        self._interval: Final = interval
        self._action: Final = action
        self._faults: Final = faults
        self._stopping = Event()
        self._thread = self._new_thread()
        reset_after_fork(self)

    def start(self) -> None:
        """Start the thread; the first call comes after one interval."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Stop calling, and wait at most ``timeout`` seconds for a call under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """Start a new thread in a forked child: fork copies no threads."""
        was_running = self._thread.ident is not None and not self._stopping.is_set()
        self._stopping = Event()  # a thread of the parent may have held the lock of the old event
        self._thread = self._new_thread()
        if was_running:
            self.start()

    def _new_thread(self) -> Thread:
        return Thread(name=f"otel_meta {self._name}", target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._action()
            except Exception as error:
                self._faults.report(self._name, type(error).__name__, error)
