"""Run jobs with a common deadline: flush and shutdown of the SDK take no timeout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults

from .attempts import exports_until, wait_for_exports

Action = Callable[[], object]


class _Job:
    """Runs an action on a daemon thread, never twice at the same time.

    Whoever asks during a run waits for the next run, since the current one may have missed the
    latest items. So a job has at most one thread, and the thread ends with the last run.
    """

    def __init__(self, name: str) -> None:
        self._name: Final = name
        self._lock: Final = ForkSafeLock()
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the run of the parent in a forked child, which has no such thread."""
        self._is_running = False
        self._next: Action | None = None
        self._waiting: list[threading.Lock] = []

    def start(self, action: Action, faults: Faults) -> tuple[threading.Lock, bool]:
        """Ask for a run.

        Returns:
            A lock that the end of the run releases, and False if this process can start no thread.
        """
        # Locks of C, since a signal handler may interrupt this thread while it waits; made here, so
        # that they are gevent's if gevent has patched the process meanwhile.
        ended = threading.Lock()
        ended.acquire()
        with self._lock:
            self._next = action
            self._waiting.append(ended)
            is_running = self._is_running
        return ended, is_running or self._start_thread(faults)

    def abandon(self, ended: threading.Lock) -> None:
        """Forget a caller who waits no longer."""
        with self._lock:
            if ended in self._waiting:
                self._waiting.remove(ended)

    def run(self, faults: Faults) -> None:
        """Run until nobody asks for a run, unless another thread runs the job.

        A run is noted by the thread that runs. If the thread that asks noted it, a signal handler
        that raises before the start of the thread would leave a job that is never run again.
        """
        try:
            if not self._begin():
                return
            while (run := self._take()) is not None:
                action, waiting = run
                try:
                    action()
                except Exception as error:
                    reraise_interruption(error)
                    faults.report(self._name, type(error).__name__, error)
                for ended in waiting:
                    ended.release()
        except BaseException:  # of a signal handler, if this is the main thread
            self._is_running = False
            raise

    def _begin(self) -> bool:
        with self._lock:
            was_running, self._is_running = self._is_running, True
        return not was_running

    def _take(self) -> tuple[Action, list[threading.Lock]] | None:
        with self._lock:
            action, self._next = self._next, None
            waiting, self._waiting = self._waiting, []
            self._is_running = action is not None
        return None if action is None else (action, waiting)

    def _start_thread(self, faults: Faults) -> bool:
        name = f"otel_meta {self._name}"
        try:
            threading.Thread(target=self.run, args=(faults,), name=name, daemon=True).start()
        except RuntimeError as error:  # the interpreter shuts down (3.12), or a limit of threads
            reraise_interruption(error)
            return False
        return True


_jobs: Final[WeakKeyDictionary[Faults, dict[str, _Job]]] = WeakKeyDictionary()
"""Jobs by name, for each `Telemetry`, which its faults identify."""


def run_with_deadline(timeout: float, actions: Mapping[str, Action], faults: Faults) -> bool:
    """Run actions in parallel and wait until all have finished, or until the timeout.

    A late action continues on a daemon thread. An error of an action is counted. If no thread can
    be started, the actions run in this thread one after the other, when no export of another thread
    is under way, and their exports end at the deadline.

    Args:
        timeout: seconds to wait for all actions together.
        actions: actions by name, which is also the name of thread and fault.
        faults: counts the errors.

    Returns:
        True if every action finished in time.
    """
    deadline = time.monotonic() + timeout
    jobs = [(_job(name, faults), action) for name, action in actions.items()]
    started = [(job, *job.start(action, faults)) for job, action in jobs]
    results = [has_thread or _run_here(job, deadline, faults) for job, _, has_thread in started]
    results += [_wait(job, ended, deadline) for job, ended, _ in started]
    return all(results)


def _run_here(job: _Job, deadline: float, faults: Faults) -> bool:
    """Run a job in this thread, and return True if it finished in time."""
    if not wait_for_exports(deadline):
        return False
    with exports_until(deadline):
        job.run(faults)
    return time.monotonic() < deadline


def _job(name: str, faults: Faults) -> _Job:
    jobs = _jobs.setdefault(faults, {})
    return jobs.get(name) or jobs.setdefault(name, _Job(name))


def _wait(job: _Job, ended: threading.Lock, deadline: float) -> bool:
    in_time = ended.acquire(timeout=max(deadline - time.monotonic(), 0))
    if not in_time:
        job.abandon(ended)
    return in_time
