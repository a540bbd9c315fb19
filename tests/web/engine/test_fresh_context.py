from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.trace import get_current_span
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS, UNHELD_REQUEST
from otel_meta.testing import capture
from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.fresh_context import RequestContext
from tests.web.conftest import Web
from tests.web.engine.direct_calls import BODY, START, DirectCalls, answer, receiving

TRACE = "0123456789abcdef0123456789abcdef"
CALLER = [(b"traceparent", f"00-{TRACE}-0123456789abcdef-01".encode()), (b"baggage", b"a=b")]


@pytest.fixture(autouse=True)
def fields() -> Iterator[None]:
    """No bound fields before and after a test."""
    clear_contextvars()
    yield
    clear_contextvars()


class Visible:
    """An application that notes what it sees of its context, and binds fields."""

    def __init__(self, **bound: Any) -> None:
        self.bound = bound
        self.seen: list[dict[str, Any]] = []
        self.traces: list[str] = []
        self.baggage: list[Any] = []

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Respond."""
        seen = dict(get_contextvars())
        seen.pop("request_id")
        self.seen.append(seen)
        self.traces.append(f"{get_current_span().get_span_context().trace_id:032x}")
        self.baggage.append(dict(baggage.get_all()))
        bind_contextvars(**self.bound)
        await send(START)
        await send(BODY)


class EndOfTestError(Exception):
    """Ends the lifespan after the start-up."""


async def end(_message: Message) -> None:
    """Take the answer to the start-up."""
    raise EndOfTestError


def left() -> tuple[dict[str, Any], bool, Any]:
    """Return what remains after a request: fields, validity of the span, and the request."""
    return (
        dict(get_contextvars()),
        get_current_span().get_span_context().is_valid,
        dict(baggage.get_all()),
    )


class TestOneContext:
    def test_request_sees_nothing_of_request_before(self, direct: DirectCalls) -> None:
        """A request in the context of the one before sees nothing of it."""
        app = Visible(user="ann")

        async def serve() -> None:
            await direct.call(app, headers=CALLER)
            await direct.call(app)
            await direct.call(app)

        asyncio.run(serve())

        assert [{}, {}, {}] == app.seen
        assert [{"a": "b"}, {}, {}] == app.baggage
        assert (TRACE, 3) == (app.traces[0], len(set(app.traces)))

    def test_nothing_remains_after_request(self, direct: DirectCalls) -> None:
        """Nothing of a request remains in the context of the server."""
        remaining: list[Any] = []

        async def serve() -> None:
            for _ in range(3):
                await direct.call(Visible(user="ann", order=7), headers=CALLER)
                remaining.append(left())

        asyncio.run(serve())

        assert [({}, False, {})] * 3 == remaining

    def test_copy_of_context_shows_nothing_of_its_request(self, direct: DirectCalls) -> None:
        """A request that starts in a copy of another's context sees nothing of the other."""
        inner = Visible(user="bob")
        tasks: list[asyncio.Task[Any]] = []

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            bind_contextvars(user="ann")
            tasks.append(asyncio.create_task(direct.call(inner), context=copy_context()))
            await answer(scope, receive, send)

        async def serve() -> None:
            await direct.call(outer, headers=CALLER)
            await tasks[0]

        asyncio.run(serve())

        assert ([{}], [{}]) == (inner.seen, inner.baggage)
        assert TRACE not in inner.traces


class TestFieldsOfProcess:
    def test_fields_bound_at_import_are_in_every_request(self) -> None:
        """Fields bound at the import of the application are in every request."""
        bind_contextvars(region="eu")
        with capture() as captured:
            direct, app = DirectCalls(captured), Visible(region="us", user="ann")

            async def serve() -> dict[str, Any]:
                await direct.call(app)
                await direct.call(app)
                return dict(get_contextvars())

            assert {"region": "eu"} == asyncio.run(serve())
        assert [{"region": "eu"}] * 2 == app.seen

    def test_fields_of_middleware_outside_are_in_its_request(self) -> None:
        """Fields that middleware outside has bound are in its request, beside those of import."""
        bind_contextvars(region="eu")
        with capture() as captured:
            direct, app = DirectCalls(captured), Visible()
            assert direct.engine

            async def serve() -> dict[str, Any]:
                bind_contextvars(region="us", user="ann")
                await direct.call(app)
                return dict(get_contextvars())

            assert {"region": "us", "user": "ann"} == asyncio.run(serve())
        assert [{"region": "us", "user": "ann"}] == app.seen

    def test_fields_of_first_request_are_in_no_other(self, web: Web) -> None:
        """Fields bound around the first request, at which the stack is built, are in no other."""
        web.app.get("/")(get_contextvars)

        async def serve() -> list[str]:
            return [await asyncio.create_task(get("ann")), await asyncio.create_task(get("bob"))]

        async def get(user: str) -> str:
            bind_contextvars(user=user)
            transport = httpx.ASGITransport(cast("Any", web.app))
            async with httpx.AsyncClient(transport=transport, base_url="http://b") as client:
                return str((await client.get("/")).json()["user"])

        assert ["ann", "bob"] == asyncio.run(serve())

    def test_fields_bound_before_server_starts_are_in_every_request(self, web: Web) -> None:
        """Fields bound after the instrumentation, before the server starts, are in each request."""
        web.app.get("/")(get_contextvars)

        async def get() -> bool:
            transport = httpx.ASGITransport(cast("Any", web.app))
            async with httpx.AsyncClient(transport=transport, base_url="http://b") as client:
                return "region" in (await client.get("/")).json()

        async def serve() -> list[bool]:
            with pytest.raises(EndOfTestError):
                await web.app({"type": "lifespan"}, receiving([{"type": "lifespan.startup"}]), end)
            return [await asyncio.create_task(get(), context=Context()) for _ in range(2)]

        bind_contextvars(region="eu")

        assert [True, True] == asyncio.run(serve())

    def test_application_started_within_request_takes_no_field_of_it(self) -> None:
        """An application that starts within a request takes no field of this request."""
        contexts = RequestContext()
        bind_contextvars(user="ann")
        token = REQUEST_IN_PROGRESS.set(UNHELD_REQUEST)
        contexts.take_fields()
        REQUEST_IN_PROGRESS.reset(token)

        assert {} == contexts._fields


class TestCallsWithinProcess:
    def test_fields_of_caller_are_restored(self, direct: DirectCalls) -> None:
        """A handler that calls another application in the process has its own fields again."""
        inner, seen = Visible(user="bob"), list[Any]()

        async def outer(_scope: Scope, _receive: Receive, send: Send) -> None:
            bind_contextvars(user="ann")
            mine = (get_contextvars(), get_current_span(), REQUEST_IN_PROGRESS.get())

            async def app(scope: Scope, receive: Receive, send: Send) -> None:
                await direct.engine(inner, scope, receive, send)

            transport = httpx.ASGITransport(cast("Any", app))
            async with httpx.AsyncClient(transport=transport, base_url="http://b") as client:
                await client.get("/")
            seen.append(mine == (get_contextvars(), get_current_span(), REQUEST_IN_PROGRESS.get()))
            await send(START)
            await send(BODY)

        direct.run(outer)

        assert ([True], [{}]) == (seen, inner.seen)
        assert (2, 0.0) == (len(direct.results()), direct.active())

    def test_task_outside_of_requests_keeps_its_fields(self, direct: DirectCalls) -> None:
        """A task outside of requests that calls an application gets no field of the request."""

        async def task() -> dict[str, Any]:
            bind_contextvars(user="ann")
            await direct.call(Visible(order=7))
            return dict(get_contextvars())

        assert {"user": "ann"} == asyncio.run(task())


class TestInterleaving:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=24))
    def test_concurrent_requests_see_themselves_alone(
        self, direct: DirectCalls, order: list[int]
    ) -> None:
        """Requests that run in any interleaving see their own fields and traces alone."""
        turns = {number: order.count(number) for number in set(order)}
        gates = {number: asyncio.Semaphore(0) for number in turns}
        done: asyncio.Queue[int] = asyncio.Queue()
        wrong: list[Any] = []

        def app_of(number: int) -> App:
            async def app(scope: Scope, receive: Receive, send: Send) -> None:
                bind_contextvars(number=number, **{f"only{number}": 1})
                trace = get_current_span()
                for _ in range(turns[number]):
                    await gates[number].acquire()
                    seen = dict(get_contextvars())
                    seen.pop("request_id")
                    if {"number": number, f"only{number}": 1} != seen:
                        wrong.append(seen)
                    if get_current_span() is not trace:
                        wrong.append(trace)
                    done.put_nowait(number)
                await answer(scope, receive, send)

            return app

        async def serve() -> None:
            async with asyncio.TaskGroup() as group:
                for number in turns:
                    group.create_task(direct.call(app_of(number)))
                for number in order:
                    gates[number].release()
                    assert number == await done.get()

        asyncio.run(serve())

        assert ([], 0.0) == (wrong, direct.active())
