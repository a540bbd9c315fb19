"""Children made by multiprocessing and billiard: what they are, and a last export at their end.

Children of both packages end by ``os._exit``, which skips exit handlers. What runs instead are the
finalizers of `multiprocessing.util`, which billiard shares. The workers of ``billiard.Pool``, as in
Celery, skip these too, and call ``on_exit`` of the pool's worker.

Neither package is imported here: a process that has not loaded them has no such children.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from otel_meta.runtime.fork import reset_after_fork

_AFTER_OTHERS: Final = -100
"""Priority among the finalizers: the application's finalizers may record."""

_SPAWNED: Final = ("multiprocessing.spawn", "multiprocessing.forkserver", "billiard.spawn")
"""Modules in the command line of a spawned child."""


def is_multiprocessing_child() -> bool:
    """Return True in a child of multiprocessing or billiard, forked or spawned."""
    if any(word in argument for argument in sys.orig_argv for word in _SPAWNED):
        return True  # known before the child's own code runs, unlike the parent process
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        return True
    billiard = _billiard_process()
    return billiard is not None and type(billiard).__name__ != "_MainProcess"


class ChildExit:
    """Calls a function at the end of this process, if it is a child of multiprocessing.

    Args:
        at_end: the function; it has to return within seconds, since the parent waits.
    """

    def __init__(self, at_end: Callable[[], object]) -> None:
        self._at_end: Callable[[], object] | None = at_end
        self._finalizer: Any = None
        self._watch()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Watch the end of a forked child; a plain fork has no finalizers."""
        self._watch()

    def cancel(self) -> None:
        """Call nothing any more, and keep no reference to the function."""
        self._at_end = None
        if self._finalizer is not None:
            self._finalizer.cancel()

    def _watch(self) -> None:
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None:
            # A child forgets the finalizers at its start, and then calls the registered functions.
            util.register_after_fork(self, ChildExit._register)
            if is_multiprocessing_child():
                self._register()

    def _register(self) -> None:
        if self._at_end is None or (self._finalizer and self._finalizer.still_active()):
            return
        util: Any = sys.modules["multiprocessing.util"]
        self._finalizer = util.Finalize(None, self._run, exitpriority=_AFTER_OTHERS)
        worker: Any = getattr(_billiard_process(), "_target", None)
        if hasattr(worker, "on_exit"):
            worker.on_exit = _in_turn(worker.on_exit, self._run)

    def _run(self, *_of_billiard: object) -> None:
        if self._at_end is not None:
            self._at_end()


def _billiard_process() -> Any:
    billiard: Any = sys.modules.get("billiard.process")
    return None if billiard is None else billiard.current_process()


def _in_turn(
    first: Callable[..., object] | None, second: Callable[..., object]
) -> Callable[..., None]:
    def call(*args: object) -> None:
        try:
            if first is not None:
                first(*args)
        finally:
            second(*args)

    return call
