"""Fields that callers of an application bind: each request has those of its own caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import structlog
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

from otel_meta.testing import CapturedTelemetry, capture
from tests.conftest import Serving
from tests.web.cases.driver import Request, ask
from tests.web.cases.recorded import Recorded

log = structlog.get_logger("shop")
USERS = ("ann", "bob")


async def fields() -> dict[str, Any]:
    """Return the bound fields, without the id of the request."""
    return {name: value for name, value in get_contextvars().items() if name != "request_id"}


def create(captured: CapturedTelemetry) -> FastAPI:
    """Return an instrumented application that tells its fields, and was not called yet."""
    app = FastAPI()
    app.get("/fields")(fields)
    return Recorded(captured, app, "meta").app


class TestFirstCaller:
    def test_fields_of_first_caller_are_of_no_other_request(self) -> None:
        """The fields of the first caller within the process are in no later request."""
        with capture() as captured:
            inner, outer = create(captured), FastAPI()
            transport = httpx.ASGITransport(inner)

            @outer.get("/call")
            async def call(user: str) -> Any:
                bind_contextvars(user=user)
                async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
                    return (await client.get("/fields")).json()

            Recorded(captured, outer, "meta")
            called = [json.loads(ask(outer, f"/call?user={user}").body) for user in USERS]

        assert [{}, {}] == called

    def test_fields_of_wrapper_are_those_of_request(self) -> None:
        """What a wrapper around the application binds is in its request, and in no other."""
        with capture() as captured:
            inner = create(captured)

            async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
                bind_contextvars(user=scope["query_string"].decode())
                await inner(scope, receive, send)

            seen = [json.loads(ask(wrapper, Request(f"/fields?{user}")).body) for user in USERS]

        assert [{"user": user} for user in USERS] == seen


class TestEndpoints:
    def test_readiness_check_has_no_field_of_request_before(
        self, serving: Serving, raw: Callable[[httpx.Client, bytes], bytes]
    ) -> None:
        """A readiness check has no field and no id of the request before on the connection."""
        app = FastAPI()

        @app.post("/bind")
        async def bind(request: HttpRequest) -> None:
            bind_contextvars(user="ann")
            await request.body()
            log.info("bound")

        async def ready() -> bool:
            log.info("checked")
            return True

        with capture() as captured:
            Recorded(captured, app, "meta", ready=ready)
            with serving(app) as client:
                first = b"POST /bind HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"
                raw(client, first + b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            lines = {line["event"]: line for line in captured.logs()}

        assert "ann" == lines["bound"]["user"]
        assert "user" not in lines["checked"]
        assert lines["bound"]["trace_id"] != lines["checked"]["trace_id"]
        assert lines["bound"]["request_id"] != lines["checked"]["request_id"]
