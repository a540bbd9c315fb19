"""A few threads of our own, so that a page never waits for a thread of the application.

asyncio's default executor and anyio's limiter belong to the application: blocking calls of the
application can fill them, and pages would keep the application's calls waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from threading import Thread, current_thread
from typing import Any, Final, Generic, TypeVar

from .event_loops import current_loop
from .fork import ForkSafeLock, reset_after_fork
from .interruption import reraise_interruption

T = TypeVar("T")


class Overload(TimeoutError):
    """Too many functions wait for a thread."""


class BoundedThreads:
    """Runs functions on a limited number of daemon threads.

    A thread starts for a function, and ends as soon as no function waits: nothing has to be shut
    down, and a forked child starts threads of its own.

    Args:
        name: the name of the threads.
        max_threads: functions that run at a time.
        max_waiting: functions that wait for a thread.
    """

    def __init__(self, name: str, max_threads: int, max_waiting: int = 64) -> None:
        self._name: Final = f"otel_meta {name}"
        self._max_threads: Final = max_threads
        self._max_waiting: Final = max_waiting
        self._waiting: Final[deque[Callable[[], object]]] = deque()
        self._threads: set[Thread] = set()
        self._shared: Final[dict[Hashable, _Job[Any]]] = {}
        self._lock: Final = ForkSafeLock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the functions that wait in the parent."""
        self._waiting.clear()
        self._shared.clear()

    async def run(self, function: Callable[[], T], seconds: float, key: Hashable = None) -> T:
        """Return the result of a function, which runs on a thread with the caller's context.

        Args:
            function: continues on the thread if the caller does not wait any longer.
            seconds: how long to wait for a thread and for the result.
            key: callers with an equal key share the result of a function that has not begun.

        Raises:
            Overload: too many functions wait already.
            TimeoutError: the result is late.
        """
        loop = current_loop()
        notify, wait = loop.new_event()
        job = self._submit_job(function, notify, key)
        async with loop.time_limit(seconds):
            await wait()
        return job.result()

    def submit(self, function: Callable[[], object]) -> None:
        """Run a function, which must not raise, as soon as a thread is free.

        Raises:
            Overload: too many functions wait already, or no thread can be started.
        """
        with self._lock:
            if len(self._waiting) >= self._max_waiting:
                raise Overload(f"{len(self._waiting)} requests wait already")
            self._waiting.append(function)
            self._threads = {thread for thread in self._threads if thread.is_alive()}
            if len(self._threads) < self._max_threads:
                self._start_thread()
            if not self._threads:
                self._waiting.clear()
                raise Overload("no thread can be started")

    def _submit_job(
        self, function: Callable[[], T], notify: Callable[[], None], key: Hashable
    ) -> _Job[T]:
        with self._lock:
            waiting = self._shared.get(key)
            if waiting is not None:
                waiting.on_end.append(notify)
                return waiting
            job = _Job(function, notify, partial(self._end_sharing, key))
            self.submit(job)
            if key is not None:
                self._shared[key] = job
            return job

    def _end_sharing(self, key: Hashable) -> None:
        with self._lock:
            self._shared.pop(key, None)

    def _start_thread(self) -> None:
        thread = Thread(target=self._run_waiting, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the limit of the system, or the interpreter shuts down
            reraise_interruption(error)
            return
        self._threads.add(thread)

    def _run_waiting(self) -> None:
        while (function := self._next()) is not None:
            function()

    def _next(self) -> Callable[[], object] | None:
        """Return the function that has waited longest; None ends the thread."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads.discard(current_thread())
            return None


class _Job(Generic[T]):
    """A function, its context, and its result or error."""

    def __init__(
        self,
        function: Callable[[], T],
        notify: Callable[[], None],
        on_begin: Callable[[], object],
    ) -> None:
        self._function: Final = function
        self._context: Final = copy_context()
        self._future: Final = Future[T]()
        self._on_begin: Final = on_begin
        self.on_end: Final = [notify]
        """Functions that notify the callers."""

    def __call__(self) -> None:
        """Run the function and notify the callers."""
        self._on_begin()
        try:
            self._future.set_result(self._context.run(self._function))
        except BaseException as error:  # raised in the caller
            self._future.set_exception(error)
        for notify in self.on_end:
            notify()

    def result(self) -> T:
        """Return the result, or raise the error of the function."""
        return self._future.result(0)
