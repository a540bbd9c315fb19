"""Exceptions that a signal handler raises into the code that it interrupts.

A task queue's time limit and Ctrl-C are raised by a signal handler, inside whatever code runs at
that moment. They are meant for the application. Code of the package that catches the exceptions of
foreign code therefore calls `reraise_interruption` first.

An exception that another thread sets (``PyThreadState_SetAsyncExc``) has no handler, and cannot be
told from an exception of the interrupted code. A ``try`` block of a recording therefore contains
only instructions at which CPython raises no exception of others: no call, see `recording.atomic`.
"""

from __future__ import annotations

from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, cast


def reraise_interruption(error: BaseException) -> None:
    """Raise the error again if a signal handler raised it; call this in an ``except`` block."""
    if raised_by_signal_handler(error):
        raise error


class suppress_faults(suppress):  # noqa: N801 - named like its base
    """Suppress exceptions of these classes, except those that a signal handler raised."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None and raised_by_signal_handler(error):
            return False
        return super().__exit__(kind, error, trace)


def raised_by_signal_handler(error: BaseException) -> bool:
    """Return True if the traceback of an error leads through a signal handler.

    Python calls a handler with the signal and the interrupted frame. Any other function seldom has
    the frame of its caller as an argument.
    """
    trace: TracebackType | None = own_attribute(error, "__traceback__")
    while trace is not None and trace.tb_next is not None:
        interrupted, trace = trace.tb_frame, trace.tb_next
        if _has_argument(trace.tb_frame, interrupted):
            return True
    return False


def own_attribute(error: BaseException, name: str) -> Any:
    """Return an attribute that every exception has, without calling the code of its class."""
    return vars(BaseException)[name].__get__(error)


def class_name(error: BaseException) -> tuple[object, str]:
    """Return module and name of the class of an exception, without calling code of a metaclass."""
    kind, names = type(error), vars(type)
    return names["__module__"].__get__(kind), names["__qualname__"].__get__(kind)


def _has_argument(frame: FrameType, wanted: FrameType) -> bool:
    for value in frame.f_locals.values():
        values = cast("tuple[object, ...]", value) if type(value) is tuple else (value,)  # *args
        if any(item is wanted for item in values):
            return True
    return False
