"""Reset of objects in a forked child.

``fork()`` copies the memory of the parent, but only the calling thread. A child therefore must not
use the parent's locks (held by a lost thread, perhaps), threads, sockets or counts.
"""

from __future__ import annotations

import logging
import os
from threading import RLock
from typing import Final, Protocol
from weakref import WeakKeyDictionary

logger: Final = logging.getLogger("otel_meta")


class Resettable(Protocol):
    """An object with state of one process, such as a lock."""

    def after_fork(self) -> None:
        """Reset the object in a forked child, a process with a single thread."""


_registered: Final[WeakKeyDictionary[Resettable, None]] = WeakKeyDictionary()


def reset_after_fork(obj: Resettable) -> None:
    """Call ``obj.after_fork()`` in every child that is forked during the object's lifetime.

    Objects are reset in the order of their registration.
    """
    _registered[obj] = None


class ForkSafeLock:
    """A reentrant lock that is unlocked in a forked child, whose parent's threads do not exist.

    It is reentrant because a signal handler or a finalizer can run inside a critical section of the
    same thread, and a plain lock would then wait for itself.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Replace the lock."""
        self._lock = RLock()

    def acquire(self, timeout: float = -1) -> bool:
        """Acquire the lock; return False if the timeout in seconds has passed before."""
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Release the lock; in a child that was forked inside the critical section, do nothing."""
        try:
            self._lock.release()
        except RuntimeError:  # the lock was replaced while this thread held its predecessor
            logger.debug("a lock was replaced by a fork inside its critical section")

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self.release()


def _reset_all() -> None:
    for obj in list(_registered):
        try:
            obj.after_fork()
        except Exception:  # fork() must not fail, and the remaining objects need their reset
            logger.exception("%s cannot be reset after a fork", type(obj).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
