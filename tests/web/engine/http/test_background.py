from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.trace import get_current_span
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from otel_meta.semconv import HTTP_SERVER_AFTER_RESPONSE_ERRORS
from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.http.background import TracedTask
from otel_meta.web.engine.http.innermost_middleware import InnermostMiddleware
from tests.web.engine.direct_calls import BODY, START, DirectCalls


class ShopError(Exception):
    """An exception class of the application."""


def notify() -> None:
    """Do the work of a task."""


def fail() -> None:
    """Do the work of a task, and fail."""
    raise ShopError


async def chunks() -> AsyncIterator[bytes]:
    """Return a body in parts."""
    yield b"a"
    yield b"b"


async def forward(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Do nothing in a middleware."""
    return await call_next(request)


def several() -> BackgroundTasks:
    """Return two tasks."""
    tasks = BackgroundTasks()
    tasks.add_task(notify)
    tasks.add_task(notify)
    return tasks


RESPONSES: dict[str, Any] = {
    "plain": lambda task: PlainTextResponse("", background=task),
    "stream": lambda task: StreamingResponse(chunks(), background=task),
}


class TestSpans:
    @pytest.mark.parametrize("kind", RESPONSES)
    @pytest.mark.parametrize("below", ["nothing", "innermost", "BaseHTTPMiddleware"])
    def test_task_has_span_below_server_span(
        self, direct: DirectCalls, kind: str, below: str
    ) -> None:
        """A background task has a span below the server span, whatever middleware is around."""
        app: App = RESPONSES[kind](BackgroundTask(notify))
        if below != "nothing":
            app = InnermostMiddleware(app)
        if below == "BaseHTTPMiddleware":
            app = BaseHTTPMiddleware(app, dispatch=forward)
        direct.run(app)
        spans: dict[str, Any] = {span.name: span for span in direct.captured.spans()}

        assert {"GET", "background notify"} == set(spans)
        assert spans["GET"].context.span_id == spans["background notify"].parent.span_id
        assert [("200", "")] == direct.results()

    def test_each_of_several_tasks_has_span(self, direct: DirectCalls) -> None:
        """Each of several background tasks has a span."""
        direct.run(PlainTextResponse("", background=several()))

        assert 2 == [span.name for span in direct.captured.spans()].count("background notify")

    def test_response_that_is_sent_again_has_one_span_each_time(self, direct: DirectCalls) -> None:
        """A response that is sent again has one span for its task each time, in its own trace."""
        response = PlainTextResponse("", background=BackgroundTask(notify))
        for _ in range(3):
            direct.run(response)
        spans: list[Any] = list(direct.captured.spans())

        assert ["GET", "background notify"] * 3 == [span.name for span in spans]
        assert 3 == len({span.context.trace_id for span in spans})

    def test_attribute_of_other_object_is_unchanged(self, direct: DirectCalls) -> None:
        """The attribute ``background`` of an object that is no response is unchanged."""

        class Middleware:
            background = notify

            async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
                """Respond."""
                await send(START)
                await send(BODY)

        middleware = Middleware()
        direct.run(middleware)

        assert {} == vars(middleware)

    def test_span_is_current_in_task_and_not_after_it(self, direct: DirectCalls) -> None:
        """The span of a task is the current one in the task, and the server span after it."""
        current: list[Any] = []

        def look() -> None:
            current.append(get_current_span())

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("", background=BackgroundTask(look))(scope, receive, send)
            look()

        direct.run(app)
        name = f"background {look.__qualname__}"

        assert [name, "GET"] == [span.name for span in current]


class TestFailures:
    @pytest.mark.parametrize("status", [200, 503])
    def test_failing_task_leaves_response_as_it_was(self, direct: DirectCalls, status: int) -> None:
        """A failing task leaves status and error type of the response as they were."""
        with pytest.raises(ShopError):
            direct.run(PlainTextResponse("", status, background=BackgroundTask(fail)))

        assert [(str(status), "503" if status == 503 else "")] == direct.results()
        assert ["background fail"] == [span.name for span in direct.captured.spans() if span.events]
        assert 1 == direct.captured.value(HTTP_SERVER_AFTER_RESPONSE_ERRORS, phase="background")

    @pytest.mark.parametrize("status", [200, 503])
    def test_request_is_not_active_while_its_task_runs(
        self, direct: DirectCalls, status: int
    ) -> None:
        """A request is not active while its background task runs, also after a server error."""
        seen: list[Any] = []

        def look() -> None:
            seen.append((direct.active(), len(direct.results())))

        direct.run(PlainTextResponse("", status, background=BackgroundTask(look)))

        assert [(0.0, 1)] == seen

    def test_exception_through_middleware_is_recorded_once(self, direct: DirectCalls) -> None:
        """The exception of a task is recorded once, though middleware raises it again."""
        inner = InnermostMiddleware(PlainTextResponse("", background=BackgroundTask(fail)))
        with pytest.raises(ShopError):
            direct.run(BaseHTTPMiddleware(inner, dispatch=forward))

        assert 1 == direct.captured.value(HTTP_SERVER_AFTER_RESPONSE_ERRORS)
        assert ["ok"] == direct.outcomes()

    def test_cancelled_task_is_recorded(self, direct: DirectCalls) -> None:
        """A cancelled task leaves the response good."""

        async def wait() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            direct.run(PlainTextResponse("", background=BackgroundTask(wait)))

        assert ["ok"] == direct.outcomes()


class TestTracedTask:
    def test_task_keeps_its_attributes(self) -> None:
        """A task keeps its attributes for code that reads them."""
        task = BackgroundTask(print, 1)
        traced: Any = TracedTask(task)

        assert (print, (1,)) == (traced.func, traced.args)


class TestElsewhere:
    def test_application_without_telemetry_has_no_spans(self, direct: DirectCalls) -> None:
        """An application without telemetry in the same process has no spans."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError

        response = PlainTextResponse("", background=BackgroundTask(notify))
        app = InnermostMiddleware(response)
        asyncio.run(app({"type": "http"}, receive, send))

        assert (2, ()) == (len(sent), direct.captured.spans())
