"""Functions for the end of the interpreter, which can be cancelled without a trace.

`atexit` keeps an empty entry for each function that was unregistered, so a process that configures
telemetry again and again would grow. One function is therefore registered for all telemetries.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

_functions: Final[list[Callable[[], object]]] = []


def call_at_exit(function: Callable[[], object]) -> None:
    """Call a function at the end of the interpreter, the latest function first."""
    _functions.append(function)


def cancel_at_exit(function: Callable[[], object]) -> None:
    """Do not call a function any more."""
    _functions.remove(function)


@atexit.register
def _call_all() -> None:
    with ExitStack() as stack:  # which calls all of them, even if one raises
        for function in _functions:
            stack.callback(function)
