"""Timers: record the duration of a block or a function, also if an exception ends it."""

from __future__ import annotations

from asyncio import (
    _get_running_loop,  # pyright: ignore[reportPrivateUsage]  # in asyncio.__all__
    current_task,
)
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from threading import get_ident
from time import perf_counter
from typing import Any, Final

from otel_meta.errors import DeclarationError

Labels = Mapping[str, Any]


class Timing:
    """One run of a timed block."""

    __slots__ = ("current_labels", "owner", "start")

    def __init__(self, labels: Labels, owner: object) -> None:
        self.current_labels = labels
        self.owner = owner
        self.start = perf_counter()

    def labels(self, /, **labels: Any) -> None:
        """Record this run with these labels instead of the timer's."""
        self.current_labels = labels


class Timer:
    """A context manager, and a decorator of functions and coroutine functions.

    One timer may time several runs at the same time, nested or concurrent. It has no lock: each
    change of its runs is one call of C code.

    Args:
        record: receives the seconds and the labels of a run, and raises nothing.
        labels: the labels of a run unless the run replaces them.
    """

    __slots__ = ("_labels", "_record", "_running")

    def __init__(self, record: Callable[[float, Labels], None], labels: Labels) -> None:
        self._record: Final = record
        self._labels: Final = labels
        self._running: Final[dict[Timing, None]] = {}

    def __enter__(self) -> Timing:
        timing = Timing(self._labels, _owner())
        self._running[timing] = None
        return timing

    def __exit__(self, *_: object) -> None:
        now = perf_counter()
        timing = self._pop_run()
        if timing is not None:
            self._record(now - timing.start, timing.current_labels)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with each call timed.

        Raises:
            DeclarationError: the function is a generator, whose call takes no time.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise DeclarationError(
                f"the timing of {function.__qualname__}",
                "would end before its first value, because it is a generator",
                "time a block inside it: with histogram.time(...):",
            )

        @wraps(function)
        async def timed_coroutine(*args: Any, **kwargs: Any) -> Any:
            with Timer(self._record, self._labels):
                return await function(*args, **kwargs)

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with Timer(self._record, self._labels):
                return function(*args, **kwargs)

        return timed_coroutine if iscoroutinefunction(function) else timed

    def _pop_run(self) -> Timing | None:
        while running := list(self._running):
            timing = _ending(running)
            if self._running.pop(timing, self) is None:  # else another thread took this run
                return timing
        return None


def _ending(running: list[Timing]) -> Timing:
    """Return the latest run of this thread and task; if there is none, the oldest run.

    A generator may end in another thread or task than it began in.
    """
    if len(running) == 1:
        return running[0]
    owner = _owner()
    own = [timing for timing in running if timing.owner == owner]
    return own[-1] if own else running[0]


def _owner() -> object:
    loop = _get_running_loop()  # unlike get_running_loop, it raises nothing
    return get_ident(), None if loop is None else current_task(loop)
