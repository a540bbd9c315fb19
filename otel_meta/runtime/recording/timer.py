"""How long a block or a function takes, recorded however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from threading import Lock, get_ident
from time import perf_counter
from typing import Any, Final

from otel_meta.errors import DeclarationError

Labels = Mapping[str, Any]


class Timing:
    """One run of a block."""

    __slots__ = ("given", "owner", "start")

    def __init__(self, given: Labels, owner: object) -> None:
        self.given = given
        self.owner = owner
        self.start = perf_counter()

    def labels(self, /, **labels: Any) -> None:
        """Record this run under these labels, whichever it began with."""
        self.given = labels


class Timer:
    """A context manager, and a decorator of functions and coroutine functions.

    One timer may time many runs at a time, within each other or beside each other.

    Args:
        report: takes the seconds and the labels of a run, and does not raise.
        labels: what a run begins with.
    """

    __slots__ = ("_labels", "_lock", "_report", "_running")

    def __init__(self, report: Callable[[float, Labels], None], labels: Labels) -> None:
        self._report: Final = report
        self._labels: Final = labels
        self._running: Final[list[Timing]] = []
        self._lock: Final = Lock()

    def __enter__(self) -> Timing:
        with self._lock:
            # A single run may end elsewhere than it began, as those of generators do.
            timing = Timing(self._labels, _owner() if self._running else None)
            self._running.append(timing)
        return timing

    def __exit__(self, *_: object) -> None:
        now = perf_counter()
        timing = self._ending()
        if timing is not None:
            self._report(now - timing.start, timing.given)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, each of whose calls is timed.

        Raises:
            DeclarationError: it is a generator, whose call takes no time.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise DeclarationError(
                f"the timing of {function.__qualname__}",
                "would end before its first value, for it is a generator",
                "time a block inside it: with histogram.time(...):",
            )

        @wraps(function)
        async def timed_coroutine(*args: Any, **kwargs: Any) -> Any:
            with Timer(self._report, self._labels):
                return await function(*args, **kwargs)

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with Timer(self._report, self._labels):
                return function(*args, **kwargs)

        return timed_coroutine if iscoroutinefunction(function) else timed

    def _ending(self) -> Timing | None:
        """Of several runs the latest of this thread and task, else that which began alone."""
        with self._lock:
            if len(self._running) < 2:  # noqa: PLR2004 - several
                return self._running.pop() if self._running else None
            owner = _owner()
            mine = [timing for timing in self._running if timing.owner == owner]
            timing = (mine or self._running)[-1 if mine else 0]
            self._running.remove(timing)
        return timing


def _owner() -> object:
    try:
        return get_ident(), asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return get_ident(), None
