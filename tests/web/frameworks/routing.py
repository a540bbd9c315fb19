"""Requests to an application over ASGI, and the scope that routing leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from otel_meta.web.frameworks import route_template


class Answer(NamedTuple):
    """The status of a response, and the template of the route."""

    status: int
    template: str


def request(app: Any, path: str, method: str = "GET", **given: Any) -> Answer:
    """Request a path of an application, and read the template from the scope."""
    status, scope = asyncio.run(_request(app, path, {"method": method, **given}))
    return Answer(status, route_template(scope, status))


def scope_of(app: Any, path: str, **given: Any) -> dict[str, Any]:
    """Request a path of an application, and return the scope that is left."""
    return asyncio.run(_request(app, path, given))[1]


async def _request(app: Any, path: str, given: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [],
        **given,
    }
    messages: list[dict[str, Any]] = []
    await app(scope, _receiver(), _sender(messages))
    statuses = [message["status"] for message in messages if "status" in message]
    return next(iter(statuses), 0), scope


def _receiver() -> Any:
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.Event().wait()  # as long as the client stays
        raise AssertionError

    return receive


def _sender(messages: list[dict[str, Any]]) -> Any:
    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    return send
