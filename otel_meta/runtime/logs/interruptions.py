"""Exceptions raised by a signal handler of the application, such as the time limit of a task."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from types import CodeType, TracebackType
from typing import Any


def is_from_signal_handler(error: BaseException) -> bool:
    """Return True if a signal handler raised the exception, which then belongs to the application.

    A handler runs inside whichever function is interrupted, so its exception can appear where only
    the errors of a foreign `repr` are expected.
    """
    handlers = frozenset(_handler_codes())
    return any(code in handlers for code in _codes(own_attribute(error, "__traceback__")))


def own_attribute(error: BaseException, name: str) -> Any:
    """Return an attribute that every exception has, without calling the code of its class."""
    return vars(BaseException)[name].__get__(error)


def _codes(trace: TracebackType | None) -> Iterator[CodeType]:
    while trace is not None:
        yield trace.tb_frame.f_code
        trace = trace.tb_next


def _handler_codes() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None) or getattr(type(handler).__call__, "__code__", 0)
        if isinstance(code, CodeType):
            yield code
