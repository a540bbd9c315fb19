"""Waiting in a coroutine, on asyncio and on trio: both run ASGI applications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib import import_module
from typing import Any, Final, Protocol


class EventLoop(Protocol):
    """The event loop that runs the calling coroutine."""

    def new_event(self) -> tuple[Callable[[], None], Callable[[], Awaitable[object]]]:
        """Return a function that sets an event from any thread, and one that waits for it."""
        ...

    def time_limit(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that raises TimeoutError after some seconds."""
        ...


class AsyncioLoop:
    """A running loop of asyncio."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop

    def new_event(self) -> tuple[Callable[[], None], Callable[[], Awaitable[object]]]:
        """Return a function that sets an event from any thread, and one that waits for it."""
        event = asyncio.Event()

        def notify() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits
                self._loop.call_soon_threadsafe(event.set)

        return notify, event.wait

    def time_limit(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that raises TimeoutError after some seconds."""
        return asyncio.timeout(seconds)


class TrioLoop:
    """A running loop of trio, which is imported here because few applications use it."""

    def __init__(self) -> None:
        self._trio: Final[Any] = import_module("trio")
        self._token: Final = self._trio.lowlevel.current_trio_token()

    def new_event(self) -> tuple[Callable[[], None], Callable[[], Awaitable[object]]]:
        """Return a function that sets an event from any thread, and one that waits for it."""
        event = self._trio.Event()

        def notify() -> None:
            with suppress(RuntimeError):  # trio has finished meanwhile, and nobody waits
                self._token.run_sync_soon(event.set)

        return notify, event.wait

    @asynccontextmanager
    async def time_limit(self, seconds: float) -> AsyncGenerator[None]:
        """Return a context that raises TimeoutError after some seconds."""
        with self._trio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise TimeoutError


def current_loop() -> EventLoop:
    """Return the event loop that runs the calling coroutine."""
    try:
        return AsyncioLoop(asyncio.get_running_loop())
    except RuntimeError:
        return TrioLoop()
