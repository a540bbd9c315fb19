"""Spans for background tasks of Starlette, without a change to its classes.

A response runs its background task in the call that sends the response. While the response starts,
the frame of this call is among the callers of ``send``; so the tasks of this one response can be
replaced by ones that run in spans. An application may send one response to many requests: a task is
replaced once, and finds its request in the context.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from types import CodeType, FrameType
from typing import Any, Final, Protocol, runtime_checkable

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS

_DEPTH: Final = 10
"""Frames between ``send`` and the response: the wrappers of exception handlers."""


@runtime_checkable
class RunsBackground(Protocol):
    """A request that records its background tasks."""

    async def run_background(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a background task in a span of its own."""


class TracedTask:
    """Runs a background task in a span of the request in progress."""

    def __init__(self, task: Any) -> None:
        self.task: Final = task

    async def __call__(self) -> None:
        """Run the task."""
        request: object = REQUEST_IN_PROGRESS.get()
        if isinstance(request, RunsBackground):
            await request.run_background(_name(self.task), self.task)
        else:  # an excluded request, or an application without instrumentation
            await self.task()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


def trace_background() -> None:
    """Let the background tasks of the response that is starting run in spans.

    Call this from ``send``.
    """
    response = _starting_response(sys._getframe(2))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # documented, for CPython
    if response is None or response.background is None:
        return
    background: Any = response.background
    tasks: list[Any] | None = getattr(background, "tasks", None)
    if type(tasks) is list:
        tasks[:] = map(_traced, tasks)
    else:
        response.background = _traced(background)


def _traced(task: Any) -> TracedTask:
    return task if isinstance(task, TracedTask) else TracedTask(task)


def _starting_response(frame: FrameType | None) -> Any:
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if _may_be_response(frame.f_code):
            owner = frame.f_locals.get("self")
            if hasattr(owner, "background") and hasattr(owner, "raw_headers"):
                return owner
            _not_of_responses.add(frame.f_code)
        frame = frame.f_back
    return None


def _may_be_response(code: CodeType) -> bool:
    return code not in _not_of_responses and code.co_varnames[:1] == ("self",)


_not_of_responses: Final[set[CodeType]] = set()
"""Code of methods of other objects: a look into a frame costs more than all the rest."""


def _name(task: Any) -> str:
    """Return the name of the task's function; the name of its class for another kind of task."""
    function = getattr(task, "func", task)
    return getattr(function, "__qualname__", type(function).__name__)
