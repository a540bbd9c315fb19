"""A client inside the process that records the raw messages of an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from otel_meta.web.asgi import App, Header, Message, Scope

ID_HEADERS = frozenset({b"x-request-id", b"server-timing", b"traceresponse", b"date"})
"""Headers of telemetry, and the date."""
_IS_BODY = frozenset({"http.response.body", "http.response.pathsend", "http.response.trailers"})
_PATIENCE = 20.0


@dataclass(frozen=True)
class Request:
    """The bytes of a request, and the behaviour of its client."""

    target: bytes | str
    """Path and query, as in the request line."""
    method: str = "GET"
    headers: Sequence[Header] = ()
    body: Sequence[bytes] = (b"",)
    root_path: str = ""
    leaves_after: int | None = None
    """Messages of the response until ``receive()`` returns a disconnect."""
    breaks_after: int | None = None
    """Messages of the response until ``send()`` raises OSError."""
    is_cancelled: bool = False
    """Whether the server cancels the task while the handler waits."""

    def scope(self) -> Scope:
        """Return the scope, as Uvicorn builds it."""
        target = self.target.encode() if isinstance(self.target, str) else self.target
        raw_path, _, query = target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 40_000),
            "scheme": "http",
            "method": self.method,
            "root_path": self.root_path,
            "path": self.root_path + unquote(raw_path.decode("latin-1")),
            "raw_path": self.root_path.encode() + raw_path,
            "query_string": query,
            "headers": [(b"host", b"shop.example"), *self.headers],
            "state": {},
            "extensions": {"http.response.trailers": {}, "http.response.pathsend": {}},
        }


@dataclass
class Response:
    """The messages that an application has sent, and the exception that it has raised."""

    sent: list[Message] = field(default_factory=list[Message])
    error: BaseException | None = None

    @property
    def status(self) -> int | None:
        """The status; None if no response was started."""
        return next((m["status"] for m in self.sent if m["type"] == "http.response.start"), None)

    @property
    def headers(self) -> dict[str, str]:
        """The headers by name."""
        pairs = (m.get("headers", ()) for m in self.sent if m["type"] == "http.response.start")
        return {k.decode("latin-1"): v.decode("latin-1") for each in pairs for k, v in each}

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return b"".join(m.get("body", b"") for m in self.sent)

    def without_ids(self) -> tuple[object, ...]:
        """Return the messages without the headers of telemetry, and the class of the exception."""
        return (*map(_without_ids, self.sent), type(self.error).__name__)


def _without_ids(message: Message) -> Message:
    if "headers" not in message:
        return message
    kept = [(name, value) for name, value in message["headers"] if name.lower() not in ID_HEADERS]
    return {**message, "headers": kept}


class Client:
    """The server's side of one request: ``receive`` and ``send`` of the application."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.response = Response()
        self._to_receive: list[Message] = [
            {"type": "http.request", "body": body, "more_body": number < len(request.body)}
            for number, body in enumerate(request.body, start=1)
        ]
        self._is_gone = asyncio.Event()

    async def receive(self) -> Message:
        """Return the next part of the body, then wait until the client leaves."""
        if self._to_receive:
            return self._to_receive.pop(0)
        await self._is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Record a message."""
        if self._count() == self.request.breaks_after:
            raise OSError("connection lost")
        self.response.sent.append(message)
        is_last = message["type"] in _IS_BODY and not message.get("more_body", False)
        if is_last or self._count() == self.request.leaves_after:
            self._is_gone.set()

    def _count(self) -> int:
        return len(self.response.sent)

    async def run(self, app: App) -> Response:
        """Call the application, and wait for its end."""
        call: Callable[[], Awaitable[Any]] = lambda: app(  # noqa: E731  # a coroutine function
            self.request.scope(), self.receive, self.send
        )
        if self.request.leaves_after == 0:
            self._is_gone.set()
        task = asyncio.ensure_future(call())
        if self.request.is_cancelled:
            await asyncio.sleep(0.01)
            task.cancel()
        await asyncio.wait([task], timeout=_PATIENCE)
        self.response.error = asyncio.CancelledError() if task.cancelled() else task.exception()
        return self.response


def ask(app: App, request: Request | str) -> Response:
    """Send one request to an application, and return its messages."""

    async def run() -> Response:
        return await Client(Request(request) if isinstance(request, str) else request).run(app)

    return asyncio.run(run())


class Peer:
    """The client of a WebSocket: its messages, and those of the application.

    Args:
        texts: the messages of the client.
        code: the code of its close; None if the application closes first.
    """

    def __init__(self, texts: Sequence[str] = (), code: int | None = 1000) -> None:
        self.sent: list[Message] = []
        self.error: BaseException | None = None
        self._to_receive: list[Message] = [
            {"type": "websocket.connect"},
            *({"type": "websocket.receive", "text": text} for text in texts),
        ]
        if code is not None:
            self._to_receive.append({"type": "websocket.disconnect", "code": code})
        self._closed = asyncio.Event()
        self._close_code = 1006

    async def receive(self) -> Message:
        """Return the client's next message, or the disconnect."""
        if self._to_receive:
            return self._to_receive.pop(0)
        await self._closed.wait()
        return {"type": "websocket.disconnect", "code": self._close_code}

    async def send(self, message: Message) -> None:
        """Record a message."""
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self._close_code = message.get("code", 1000)
            self._closed.set()


def connect(app: App, path: str, texts: Sequence[str] = (), code: int | None = 1000) -> Peer:
    """Open a WebSocket, exchange messages, and close it."""

    async def run() -> Peer:
        peer = Peer(texts, code)
        scope = {
            **Request(path).scope(),
            "type": "websocket",
            "scheme": "ws",
            "subprotocols": [],
            "extensions": {},
        }
        del scope["method"]
        try:
            await asyncio.wait_for(app(scope, peer.receive, peer.send), _PATIENCE)
        except Exception as error:  # noqa: BLE001  # any exception of the application
            peer.error = error
        return peer

    return asyncio.run(run())
