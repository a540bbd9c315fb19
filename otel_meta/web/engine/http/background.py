"""Spans for background tasks of Starlette, without a change to its classes.

A response runs its background task in the call that sends the response. While the response starts,
the frame of this call is among the callers of ``send``; so the task of this one response can be
replaced by one that runs in a span.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final

from .after_response import AfterResponse, Answered

_DEPTH: Final = 10
"""Frames between ``send`` and the response: the wrappers of exception handlers."""


class TracedTask:
    """Runs a background task in a span."""

    def __init__(self, task: Any, request: Answered, after: AfterResponse) -> None:
        self._task: Final = task
        self._request: Final = request
        self._after: Final = after

    async def __call__(self) -> None:
        """Run the task."""
        await self._after.run(self._request, _name(self._task), self._task)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


def trace_background(request: Answered, after: AfterResponse) -> None:
    """Let the background tasks of the response that is starting run in spans.

    Call this from ``send``.
    """
    response = _starting_response(sys._getframe(2))  # noqa: SLF001  # documented, for CPython
    background = None if response is None else response.background
    if background is None:
        return
    tasks = getattr(background, "tasks", None)
    if isinstance(tasks, list):
        tasks[:] = [TracedTask(task, request, after) for task in tasks]
    else:
        response.background = TracedTask(background, request, after)


def _starting_response(frame: FrameType | None) -> Any:
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if frame.f_code.co_varnames[:1] == ("self",):
            owner = frame.f_locals.get("self")
            if hasattr(owner, "background"):
                return owner
        frame = frame.f_back
    return None


def _name(task: Any) -> str:
    """Return the name of the task's function; the name of its class for another kind of task."""
    function = getattr(task, "func", task)
    return getattr(function, "__qualname__", type(function).__name__)
