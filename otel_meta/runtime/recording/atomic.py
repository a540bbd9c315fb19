"""Updates of numbers that many threads make at a time, without a lock where none is needed.

CPython with its global lock switches threads, and runs signal handlers, only where a function is
entered, a call returns or a loop jumps back. A run of statements that does none of these happens as
one: ``numbers[0] += amount``, on an array of doubles and a plain number, loses nothing. (A test
reads the byte code of every such update, on each version of Python that it runs on.)

This is more than speed, though a lock would take as long as all the rest of a recording together.
A lock can be left held by an exception that a signal handler raises, such as a time limit of a
task queue, and a signal handler that records would wait for the very code that it interrupted.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Final, TypeVar, cast

from otel_meta.runtime.fork import reset_after_fork

ATOMIC: Final = sys.implementation.name == "cpython" and not sysconfig.get_config_var(
    "Py_GIL_DISABLED"
)
"""Whether such a run of statements happens as one; if not, a lock sees to it."""

Method = TypeVar("Method", bound=Callable[..., Any])


def exact(method: Method) -> Method:
    """Have a method's run of reads and writes happen as one step."""
    return method if ATOMIC else locked(method)


def locked(method: Method) -> Method:
    """The same by a lock, one for all: right on every interpreter, and slow with many threads."""

    @wraps(method)
    def call(*args: Any) -> Any:
        with _turn.lock:
            return method(*args)

    return cast("Method", call)


class _Turn:
    def __init__(self) -> None:
        self.lock = RLock()

    def after_fork(self) -> None:
        self.lock = RLock()


_turn: Final = _Turn()
reset_after_fork(_turn)
