"""Many requests at a time: no id and no field of one request is visible in another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, NamedTuple

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.context import attach, get_current
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from structlog.contextvars import bind_contextvars, get_contextvars

from otel_meta.testing import capture
from tests.conftest import Serving, wait_until
from tests.web.cases.engines import ENGINES
from tests.web.cases.recorded import Recorded
from tests.web.test_differential import CONNECTIONS

log = structlog.get_logger("leaks")
IN_PROCESS, EXCLUDED = "/inner", "/excluded"
PATHS = ("/bind", "/thread", "/spawn", "/call", EXCLUDED)


def say(place: str, user: str) -> dict[str, Any]:
    """Log a line for a user, and return what is visible to its request."""
    log.info(place, owner=user)
    return {"fields": get_contextvars(), "baggage": dict(baggage.get_all())}


def bind(user: str) -> None:
    """Bind a field, and attach baggage that nobody detaches."""
    bind_contextvars(user=user)
    attach(baggage.set_baggage("handler", user, get_current()))


class BindFirst(BaseHTTPMiddleware):
    """A middleware that runs the handler in a task of its own."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Bind a field."""
        bind_contextvars(middleware=request.headers["x-user"])
        return await call_next(request)


def build_inner() -> FastAPI:
    """Return the application that handlers call within the process."""
    app = FastAPI()

    @app.post(IN_PROCESS)
    async def inner(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("inner", user)
        bind(user)
        await asyncio.sleep(0)
        return before

    return app


def build(inner: FastAPI) -> FastAPI:
    """Return an application whose handlers bind fields, and do not remove them."""
    app = FastAPI()
    tasks = set[asyncio.Task[None]]()
    transport = httpx.ASGITransport(inner)

    @app.post("/bind")
    async def bound(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("bind", user)
        bind(user)
        await request.body()
        say("bound", user)
        return before

    @app.post(EXCLUDED)
    async def excluded(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("excluded", user)
        bind(user)
        return before

    @app.post("/thread")
    def thread(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("thread", user)
        bind(user)
        return before

    @app.post("/spawn")
    async def spawn(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("spawn", user)

        async def late() -> None:
            bind(user)
            await asyncio.sleep(0.02)
            await run_in_threadpool(say, "late", user)

        task = asyncio.create_task(late())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return before

    @app.post("/call")
    async def call(request: Request) -> dict[str, Any]:
        user = request.headers["x-user"]
        before = say("call", user)
        bind(user)
        async with httpx.AsyncClient(transport=transport, base_url="http://inner") as client:
            answer = await client.post(IN_PROCESS, headers={"x-user": f"{user}i"})
        assert {"request_id"} == answer.json()["fields"].keys()
        say("called", user)
        return before

    return app


class Sent(NamedTuple):
    """A request of a user, who has a trace of his own."""

    user: str
    path: str = ""
    size: int = 0

    @property
    def trace_id(self) -> str:
        """The trace id."""
        return f"{int(self.user) + 1:032x}"

    @property
    def request_id(self) -> str:
        """The id that the client chose."""
        return f"r{self.user}"

    def raw(self, *, is_last: bool) -> bytes:
        """Return the bytes."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: a\r\nx-user: {self.user}\r\n"
            f"traceparent: 00-{self.trace_id}-{1:016x}-01\r\nbaggage: caller={self.user}\r\n"
            f"x-request-id: {self.request_id}\r\ncontent-length: {self.size}\r\n"
            f"connection: {'close' if is_last else 'keep-alive'}\r\n\r\n"
        )
        return head.encode() + b"x" * self.size


def connections(seed: Random, users: Iterator[int]) -> list[list[Sent]]:
    """Return the requests of several connections, which are sent at a time."""
    return [
        [
            Sent(str(next(users)), seed.choice(PATHS), seed.choice((0, 1, 70_000)))
            for _ in range(seed.randint(1, 4))
        ]
        for _ in range(seed.randint(1, 20))
    ]


async def answers(port: int, requests: list[Sent]) -> list[tuple[bytes, bytes]]:
    """Send requests on one connection without a pause, and return heads and bodies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request.raw(is_last=request is requests[-1]))
    received = []
    for _ in requests:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        received.append((head, await reader.readexactly(length)))
    writer.close()
    return received


def check_answer(request: Sent, head: bytes, body: bytes) -> None:
    """Check that a response has ids, fields and baggage of its own request alone."""
    seen = json.loads(body)
    request_id = seen["fields"].pop("request_id")

    assert {"middleware": request.user} == seen["fields"]
    if request.path != EXCLUDED:
        assert {"caller": request.user} == seen["baggage"]
        assert request.request_id == request_id
        assert f"x-request-id: {request_id}\r\n".encode() in head
        assert f"00-{request.trace_id}-".encode() in head


def check_line(line: dict[str, Any]) -> None:
    """Check that a log line has the ids and fields of its own request alone."""
    user = line["owner"]
    assert user == line.get("user", user)
    if user.endswith("i"):  # called within the process: has a trace of its own
        assert "middleware" not in line
    else:
        assert user == line["middleware"]
    if line["event"] not in {"inner", "excluded"}:
        request = Sent(user)
        assert (request.trace_id, request.request_id) == (line["trace_id"], line["request_id"])


class TestLeaks:
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("http", ["h11", "httptools"])
    def test_requests_see_nothing_of_each_other(
        self, engine: str, http: str, serving: Serving
    ) -> None:
        """Requests at a time, on several connections, see nothing of each other."""
        users = count()
        with capture() as captured:
            inner = Recorded(captured, build_inner(), engine).app
            app = build(inner)
            app.add_middleware(BindFirst)
            recorded = Recorded(captured, app, engine, exclude=[EXCLUDED])
            with serving(app, http=http) as client:
                port = client.base_url.port or 0

                @CONNECTIONS
                @given(st.integers(0, 2**32))
                def send(seed: int) -> None:
                    asyncio.run(send_all(port, connections(Random(seed), users)))

                send()
                wait_until(lambda: len(recorded.lines("spawn")) == len(recorded.lines("late")))
            lines = [line for line in captured.logs() if "owner" in line]
            parents = {span.parent and span.parent.span_id for span in recorded.spans()}

        for line in lines:
            check_line(line)
        assert {None, 1} == parents


async def send_all(port: int, sent: list[list[Sent]]) -> None:
    """Send the requests of all connections at a time, and check the responses."""
    received = await asyncio.gather(*(answers(port, each) for each in sent))
    for requests, responses in zip(sent, received, strict=True):
        for request, response in zip(requests, responses, strict=True):
            check_answer(request, *response)
