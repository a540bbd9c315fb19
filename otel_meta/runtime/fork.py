"""Reset of objects in a forked child.

``fork()`` copies the memory of the parent, but only the calling thread. A child therefore must not
use the parent's locks (held by a lost thread, perhaps), threads, sockets or counts.
"""

from __future__ import annotations

import logging
import os
from operator import attrgetter, methodcaller
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol
from weakref import ref

logger: Final = logging.getLogger("otel_meta")


_PROCESS: Final = os.getpid()
"""The process that imported this module."""


def is_forked() -> bool:
    """Return True in a child of a process that had imported the package before the fork."""
    return os.getpid() != _PROCESS


class Resettable(Protocol):
    """An object with state of one process, such as a lock."""

    def after_fork(self) -> None:
        """Reset the object in a forked child, a process with a single thread."""


_Registry = dict[ref[Resettable], None]
"""References in the order of registration.

Each change is one call of C code. A finalizer or a signal handler that forks in the middle of a
registration finds the registry whole, and none can raise in the callback of a reference, where
CPython ignores exceptions.
"""

_locks: Final[_Registry] = {}
_registered: Final[_Registry] = {}


def reset_after_fork(obj: Resettable) -> None:
    """Call ``obj.after_fork()`` in every child that is forked during the object's lifetime.

    Every `ForkSafeLock` is unlocked first. Other objects follow in the order of their registration.
    """
    _register(obj, _registered)


def _register(obj: Resettable, registry: _Registry) -> None:
    registry[ref(obj, registry.pop)] = None


class ForkSafeLock:
    """A reentrant lock that is unlocked in a forked child, whose parent's threads do not exist.

    It is reentrant because a signal handler or a finalizer can run inside a critical section of the
    same thread, and a plain lock would then wait for itself.

    A signal handler may raise wherever Python calls it, and no such place may lie between the
    change of the lock and the ``with`` block: the lock would stay held for ever. Python calls
    handlers at the start of a function, in loops and after calls. The lock is therefore acquired by
    the lookup of an attribute, in C: since Python 3.14, handlers also run after a ``with``
    statement has called an ``__enter__`` of C. Its other methods are those of the `RLock`.
    """

    __slots__ = ("__weakref__", "_lock")

    if TYPE_CHECKING:

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            """Acquire the lock; return False if the timeout in seconds has passed before."""
            ...

        def release(self) -> None:
            """Release the lock."""

        def __exit__(self, *_error: object) -> None: ...

        _acquired: bool

    else:
        acquire = property(attrgetter("_lock.acquire"))
        release = property(attrgetter("_lock.release"))
        __exit__ = property(attrgetter("_lock.__exit__"))
        _acquired = property(methodcaller("acquire"))

    def __init__(self) -> None:
        self._lock = RLock()
        _register(self, _locks)

    def __enter__(self) -> bool:
        return self._acquired

    def after_fork(self) -> None:
        """Replace the lock if a thread of the parent holds it.

        A lock of the thread that forked stays: this thread lives on in the child, and leaves its
        critical section there.
        """
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = RLock()


def _reset_all() -> None:
    """Reset every object, whatever happens to another.

    Errors are logged last, because a log handler may need an object that was not reset yet.
    """
    failures: list[tuple[str, BaseException]] = []
    for registry in (_locks, _registered):
        for reference in list(registry):
            obj = reference()
            try:
                if obj is not None:
                    obj.after_fork()
            except BaseException as error:
                failures.append((type(obj).__name__, error))
    for name, failure in failures:
        logger.error("%s cannot be reset after a fork", name, exc_info=failure)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
