"""Spans for background tasks of Starlette, without a change to its classes.

A response runs its background task in the call that sends the response. While the response starts,
the frame of this call is among the callers of ``send``; so the task of this one response can be
replaced by one that runs in a span. An application may send the same response to many requests, so
the task finds the request that it belongs to when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Final, Protocol, runtime_checkable

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS

_DEPTH: Final = 10
"""Frames between ``send`` and the response: the wrappers of exception handlers."""


@runtime_checkable
class RunsBackground(Protocol):
    """A request whose background tasks have spans."""

    async def run_background(self, name: str, task: Callable[[], Awaitable[None]], /) -> None:
        """Run a task in a span."""
        ...


class TracedTask:
    """Runs a background task in a span, if the request has one."""

    def __init__(self, task: Any) -> None:
        self._task: Final = task

    async def __call__(self) -> None:
        """Run the task."""
        request: object = REQUEST_IN_PROGRESS.get()
        if isinstance(request, RunsBackground):
            await request.run_background(_name(self._task), self._task)
        else:
            await self._task()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


def trace_background() -> None:
    """Let the background tasks of the response that is starting run in spans.

    Call this from ``send``.
    """
    response = _starting_response(sys._getframe(2))  # noqa: SLF001  # documented, for CPython
    background = None if response is None else response.background
    if background is None:
        return
    tasks = getattr(background, "tasks", None)
    if isinstance(tasks, list):
        tasks[:] = map(_traced, tasks)
    else:
        response.background = _traced(background)


def _traced(task: Any) -> TracedTask:
    return task if isinstance(task, TracedTask) else TracedTask(task)


def _starting_response(frame: FrameType | None) -> Any:
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if frame.f_code.co_varnames[:1] == ("self",):
            owner = frame.f_locals.get("self")
            if hasattr(owner, "background") and hasattr(owner, "raw_headers"):
                return owner
        frame = frame.f_back
    return None


def _name(task: Any) -> str:
    """Return the name of the task's function; the name of its class for another kind of task."""
    function = getattr(task, "func", task)
    return getattr(function, "__qualname__", type(function).__name__)
