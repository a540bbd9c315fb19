"""Reset of objects in a forked child.

``fork()`` copies the memory of the parent, but only the calling thread. A child therefore must not
use the parent's locks (held by a lost thread, perhaps), threads, sockets or counts.
"""

from __future__ import annotations

import logging
import os
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


def _reset_all() -> None:
    for obj in list(_registered):
        try:
            obj.after_fork()
        except Exception:  # fork() must not fail, and the remaining objects need their reset
            logger.exception("%s cannot be reset after a fork", type(obj).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
