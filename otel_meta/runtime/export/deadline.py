"""Run jobs with a common deadline: flush and shutdown of the SDK take no timeout."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.faults import Faults

from .attempts import exports_until, wait_for_exports

Action = Callable[[], object]


class _Job:
    """Runs an action on a daemon thread, never twice at the same time.

    Whoever asks during a run waits for the next run, since the current one may have missed the
    latest items. So at most one thread of a job runs, and it ends with the last run.

    Each change of the state is one call of C code. A signal handler that interrupts `start`, as
    SIGTERM does at the end of a child, can ask for a run itself and wait for the end.
    """

    def __init__(self, name: str) -> None:
        self._name: Final = name
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the run of the parent in a forked child, which has no such thread."""
        self._running = threading.Lock()
        self._next: Action | None = None
        self._waiting: deque[threading.Lock] = deque()

    def start(self, action: Action, faults: Faults) -> tuple[threading.Lock, bool]:
        """Ask for a run.

        Returns:
            A lock that the end of the run releases, and False if this process can start no thread.
        """
        # Locks of C, since a signal handler may interrupt this thread while it waits; made here, so
        # that they are gevent's if gevent has patched the process meanwhile.
        ended = threading.Lock()
        ended.acquire()
        self._waiting.append(ended)
        self._next = action
        return ended, self._running.locked() or self._start_thread(faults)

    def abandon(self, ended: threading.Lock) -> None:
        """Forget a caller who waits no longer."""
        with suppress_faults(ValueError):  # the run has begun
            self._waiting.remove(ended)

    def run(self, faults: Faults) -> None:
        """Run until nobody asks for a run; do nothing if another thread does."""
        while self._next is not None and self._running.acquire(blocking=False):
            try:
                self._run_once(faults)
            finally:  # also after an error that a signal handler raised in this thread
                self._running.release()

    def _run_once(self, faults: Faults) -> None:
        action, self._next = self._next, None
        waiting: list[threading.Lock] = []
        with suppress_faults(IndexError):  # the last caller has just abandoned the run
            while self._waiting:
                waiting.append(self._waiting.popleft())
        try:
            if action is not None:
                action()
        except Exception as error:
            reraise_interruption(error)
            faults.report(self._name, type(error).__name__, error)
        finally:
            for ended in waiting:
                ended.release()

    def _start_thread(self, faults: Faults) -> bool:
        name = f"otel_meta {self._name}"
        try:
            threading.Thread(target=self.run, args=(faults,), name=name, daemon=True).start()
        except RuntimeError as error:  # while the interpreter shuts down, or at a limit of threads
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
