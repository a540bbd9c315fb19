from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from otel_meta.web.asgi import Message
from otel_meta.web.engine.disconnects import waiting_message

DISCONNECT: Message = {"type": "http.disconnect"}


def look(receive: Callable[[], Awaitable[Message]]) -> Message | None:
    """Look for a message in an event loop."""

    async def run() -> Message | None:
        return waiting_message(receive)

    return asyncio.run(run())


class TestWaitingMessage:
    def test_message_of_queue_is_returned(self) -> None:
        """A message that waits in the queue of the server is returned."""
        queue: asyncio.Queue[Message] = asyncio.Queue()
        queue.put_nowait(DISCONNECT)

        assert DISCONNECT == look(queue.get)

    def test_empty_queue_loses_no_later_message(self) -> None:
        """A look at an empty queue loses no message that comes later."""

        async def run() -> tuple[Message | None, Message]:
            queue: asyncio.Queue[Message] = asyncio.Queue()
            found = waiting_message(queue.get)
            queue.put_nowait(DISCONNECT)
            return found, await asyncio.wait_for(queue.get(), 5)

        assert (None, DISCONNECT) == asyncio.run(run())

    def test_call_that_begins_at_once_is_not_made(self) -> None:
        """A server whose call begins before it is awaited is not asked, since a message is lost."""
        calls: list[str] = []

        def receive() -> asyncio.Future[Message]:
            calls.append("receive")
            return asyncio.get_running_loop().create_future()

        assert look(receive) is None
        assert [] == calls
