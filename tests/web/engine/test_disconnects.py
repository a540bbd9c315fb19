from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import FastAPI

from otel_meta import instrument_fastapi
from otel_meta.testing import capture
from otel_meta.web.asgi import Message, Receive, Scope, Send
from otel_meta.web.engine.disconnects import waiting_message
from tests.web.cases.driver import Request

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


class TestWaitingApplication:
    def test_application_that_waits_for_disconnect_gets_it(self) -> None:
        """An application that waits for a message gets it, although its response starts then."""
        queue: asyncio.Queue[Message] = asyncio.Queue()
        received: list[Message] = []

        async def respond(_scope: Scope, receive: Receive, send: Send) -> None:
            async def listen() -> None:
                received.append(await receive())

            await receive()
            listening = asyncio.ensure_future(listen())
            await asyncio.sleep(0)  # until it waits
            queue.put_nowait(DISCONNECT)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            with suppress(TimeoutError):
                await asyncio.wait_for(listening, 1)

        async def ignore(_message: Message) -> None:
            """Take a message."""

        async def run() -> None:
            queue.put_nowait({"type": "http.request"})
            app = FastAPI()
            app.mount("/", respond)
            instrument_fastapi(app, captured.telemetry)
            await app(Request("/a").scope(), queue.get, ignore)

        with capture() as captured:
            asyncio.run(run())

        assert [DISCONNECT] == received
