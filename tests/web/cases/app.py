"""An application with each kind of route, response and failure that a case needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Query,
    Request,
    Response,
    WebSocket,
)
from fastapi.responses import PlainTextResponse, StreamingResponse
from opentelemetry import trace
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("shop")

CHUNK = b"x" * 1000


class ShopError(Exception):
    """An exception class of the application."""


class MaintenanceMiddleware:
    """A middleware that responds itself to one path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, or call the application."""
        is_closed = scope["type"] == "http" and scope["path"] == "/closed"
        response = PlainTextResponse("closed", 503) if is_closed else self.app
        await response(scope, receive, send)


class SentMessages:
    """An ASGI application that sends given messages and returns."""

    def __init__(self, *messages: Message) -> None:
        self.messages = messages

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the messages."""
        for message in self.messages:
            await send(message)


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
SIZED: Message = {**START, "headers": [(b"content-length", b"3")]}

RAW_APPS = {
    "/silent": SentMessages(),
    "/headers-only": SentMessages(START),
    "/half": SentMessages(SIZED, {"type": "http.response.body", "body": b"a", "more_body": True}),
    "/trailers": SentMessages(
        {**START, "trailers": True},
        {"type": "http.response.body", "body": b"abc"},
        {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]},
    ),
    "/file": SentMessages(SIZED, {"type": "http.response.pathsend", "path": str(Path(__file__))}),
    "/sized": SentMessages(SIZED, {"type": "http.response.body", "body": b"abc"}),
    "/unsized": SentMessages(
        START,
        {"type": "http.response.body", "body": b"abcd", "more_body": True},
        {"type": "http.response.body", "body": b"efgh"},
    ),
}
"""Raw ASGI applications by path."""


async def item(item_id: int) -> dict[str, int]:
    """Return the number of the item."""
    return {"item": item_id}


async def fail() -> None:
    """Raise an exception of the application."""
    raise ShopError("out of stock")


async def forbid() -> None:
    """Refuse the request, as an authentication does."""
    raise HTTPException(403)


async def break_dependency() -> None:
    """Raise an exception of the standard library."""
    raise RuntimeError("no database")


async def session() -> AsyncIterator[None]:
    """Fail when the response is sent, as a commit may."""
    yield
    raise ShopError("the commit failed")


async def greet(name: str) -> str:
    """Return the name."""
    return name


async def empty() -> dict[str, str]:
    """Return an empty object."""
    return {}


async def slow_task(tasks: BackgroundTasks) -> dict[str, str]:
    """Respond, and run a task of 200 ms afterwards."""
    tasks.add_task(asyncio.sleep, 0.2)
    return {}


async def failing_task(tasks: BackgroundTasks) -> dict[str, str]:
    """Respond, and run a task that fails afterwards."""
    tasks.add_task(fail)
    return {}


async def stream() -> Response:
    """Stream three chunks in 60 ms."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield CHUNK
            await asyncio.sleep(0.02)

    return StreamingResponse(chunks())


async def broken_stream() -> Response:
    """Stream one chunk, and fail."""

    async def chunks() -> AsyncIterator[bytes]:
        yield CHUNK
        raise ShopError("the database left")

    return StreamingResponse(chunks())


async def endless() -> Response:
    """Stream until the client leaves."""

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield CHUNK
            await asyncio.sleep(0.005)

    return StreamingResponse(chunks())


async def events() -> Response:
    """Send three server-sent events."""

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"data: %d\n\n" % number
            await asyncio.sleep(0.02)

    return StreamingResponse(chunks(), media_type="text/event-stream")


async def upload(request: Request) -> dict[str, int]:
    """Return the size of the body."""
    return {"bytes": len(await request.body())}


async def wait(seconds: Annotated[float, Query()] = 20.0) -> dict[str, str]:
    """Respond late, without a call of receive()."""
    await asyncio.sleep(seconds)
    return {}


def wait_in_thread(seconds: Annotated[float, Query()] = 20.0) -> dict[str, str]:
    """Respond late, from a thread."""
    time.sleep(seconds)
    return {}


async def visible() -> dict[str, Any]:
    """Return the log fields, the trace id and the span id of this request."""
    context = trace.get_current_span().get_span_context()
    return {
        **structlog.contextvars.get_contextvars(),
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
    }


async def bind(request: Request) -> dict[str, Any]:
    """Bind a log field, read the body, let other requests run, and return the visible fields."""
    if "x-user" in request.headers:
        structlog.contextvars.bind_contextvars(user=request.headers["x-user"])
    await request.body()
    for _ in range(int(request.headers.get("x-turns", 1))):
        await asyncio.sleep(0)
    log.info("bound")
    return await visible()


async def echo(socket: WebSocket, room: str) -> None:
    """Return each message until the client leaves."""
    await socket.accept(headers=[(b"x-room", room.encode())])
    async for text in socket.iter_text():
        await socket.send_text(f"{room}: {text}")


async def close(socket: WebSocket, code: int) -> None:
    """Accept, and close with a code."""
    await socket.accept()
    await socket.close(code)


async def reject(socket: WebSocket) -> None:
    """Refuse the handshake."""
    await socket.close(1008)


async def wait_for_text(socket: WebSocket) -> None:
    """Accept, and wait for one message."""
    await socket.accept()
    await socket.receive_text()


async def close_and_fail(socket: WebSocket) -> None:
    """Accept, close, and raise an exception of the application."""
    await socket.accept()
    await socket.close()
    raise ShopError("the commit failed")


async def fail_socket(socket: WebSocket) -> None:
    """Accept, and raise an exception of the application."""
    await socket.accept()
    raise ShopError("the room is closed")


def build(**options: Any) -> FastAPI:
    """Return a new application without telemetry.

    Args:
        **options: arguments of ``FastAPI``.
    """
    app = FastAPI(**options)
    app.add_middleware(MaintenanceMiddleware)
    gets: dict[str, Callable[..., Any]] = {
        "/items/{item_id}": item,
        "/fail": fail,
        "/slow-task": slow_task,
        "/failing-task": failing_task,
        "/stream": stream,
        "/broken-stream": broken_stream,
        "/endless": endless,
        "/events": events,
        "/wait": wait,
        "/wait-in-thread": wait_in_thread,
        "/visible": visible,
        "/health": empty,
        "/catch/healthy-food": empty,
    }
    for path, handler in gets.items():
        app.get(path)(handler)
    app.get("/guarded", dependencies=[Depends(forbid)])(empty)
    app.get("/broken-dependency", dependencies=[Depends(break_dependency)])(empty)
    app.get("/session", dependencies=[Depends(session, scope="request")])(empty)
    app.post("/upload")(upload)
    app.post("/bind")(bind)
    _add_raw_apps(app)
    _add_websockets(app)
    _add_routers(app)
    return app


def _add_raw_apps(app: FastAPI) -> None:
    app.router.routes += [Route(path, endpoint=raw) for path, raw in RAW_APPS.items()]


def _add_websockets(app: FastAPI) -> None:
    app.websocket("/rooms/{room}")(echo)
    app.websocket("/close/{code}")(close)
    app.websocket("/reject")(reject)
    app.websocket("/wait-for-text")(wait_for_text)
    app.websocket("/close-and-fail")(close_and_fail)
    app.websocket("/fail-socket")(fail_socket)


def _add_routers(app: FastAPI) -> None:
    """Include one router below two prefixes, nested routers, and a mounted application."""
    status = APIRouter()
    status.get("/status/{item_id}")(item)
    app.include_router(status, prefix="/v1")
    app.include_router(status, prefix="/v2")
    shops = APIRouter(prefix="/shops/{shop}")
    shops.include_router(status, prefix="/orders")
    app.include_router(shops, prefix="/api")
    sub = FastAPI()
    sub.get("/hello/{name}")(greet)
    app.state.sub = sub
    app.mount("/sub", sub)
