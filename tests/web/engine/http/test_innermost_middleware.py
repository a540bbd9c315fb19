from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse

from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.http.innermost_middleware import InnermostMiddleware
from otel_meta.web.engine.marks import EXCHANGE
from tests.web.engine.direct_calls import BODY, START, DirectCalls, sending


class Route:
    """A route as routers leave it in the scope."""

    path = "/items/{name}"
    endpoint = "endpoint"


async def routed(scope: Scope, _receive: Receive, send: Send) -> None:
    """Leave a route in the scope, and respond."""
    scope["route"], scope["endpoint"] = Route, Route.endpoint
    await send(START)
    await send(BODY)


def copying(app: App) -> App:
    """Return a middleware that gives the application a copy of the scope."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        await app(dict(scope), receive, send)

    return middleware


class TestScope:
    @pytest.mark.parametrize(
        ("app", "route"),
        [
            (copying(routed), None),
            (copying(InnermostMiddleware(routed)), "/items/{name}"),
        ],
    )
    def test_route_is_found_below_copy_of_scope(
        self, direct: DirectCalls, app: App, route: str | None
    ) -> None:
        """The route is found though a middleware copies the scope, because of this middleware."""
        direct.run(app)

        assert route == direct.span.attributes.get("http.route")


class TestMessages:
    @pytest.mark.parametrize("mark", [{}, {EXCHANGE: None}, {EXCHANGE: object()}])
    def test_request_that_is_not_recorded_passes_through(self, mark: dict[str, Any]) -> None:
        """A request that is not recorded passes through, with the server's own ``send``."""
        seen: list[Any] = []

        async def send(_message: Message) -> None:
            raise AssertionError

        async def receive() -> Message:
            raise AssertionError

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.extend([scope, receive, send])

        asyncio.run(InnermostMiddleware(app)(mark, receive, send))

        assert [mark, receive, send] == seen

    def test_wrong_message_gets_error_of_server(self, direct: DirectCalls) -> None:
        """A message without a type gets the error of the server."""
        with pytest.raises(KeyError, match="type"):
            direct.run(InnermostMiddleware(sending({})))

    def test_task_has_one_span(self, direct: DirectCalls) -> None:
        """A background task has one span, though two middlewares look for it."""
        response: Any = PlainTextResponse("", background=BackgroundTask(print, end=""))
        direct.run(InnermostMiddleware(InnermostMiddleware(response)))

        assert ["GET", "background print"] == [span.name for span in direct.captured.spans()]
