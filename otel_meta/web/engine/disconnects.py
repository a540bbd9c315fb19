"""Disconnects that the application does not see, because it does not call ``receive``.

Servers tell of a disconnect by a message, which an application that only answers never receives.
"""

from __future__ import annotations

from asyncio import _get_running_loop  # pyright: ignore[reportPrivateUsage]  # as CPython's own code
from inspect import iscoroutinefunction
from typing import Any

from otel_meta.web.asgi import Message, Receive


def waiting_message(receive: Receive) -> Message | None:
    """Return the message that the server has for the application; None if it has none.

    A call of ``receive`` runs up to the first point where it has to wait, and is closed there. Not
    under trio, whose coroutines cannot be closed while they wait, and not if a call begins before
    it is awaited, as Granian's does: its message would be lost to the application.
    """
    if _get_running_loop() is None or not iscoroutinefunction(receive):
        return None
    coroutine: Any = receive()
    try:
        coroutine.send(None)
    except StopIteration as result:
        message: Message = result.value
        return message
    coroutine.close()
    return None


def server_state(receive: Receive) -> Any:
    """Return the object in which uvicorn notes a disconnect; None for another server.

    A look at it costs less than a call of ``receive``, and needs no complete body.
    """
    owner = getattr(receive, "__self__", None)
    return owner if hasattr(owner, "disconnected") else None
