"""Ends of WebSocket connections that only a server can make."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import WebSocket
from starlette.responses import PlainTextResponse
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from otel_meta.semconv import WEBSOCKET_ACTIVE_CONNECTIONS

if TYPE_CHECKING:
    from tests.conftest import Eventually, Serving
    from tests.web.conftest import Web

SERVERS = ["websockets-sansio", "wsproto"]
HEADERS = {"x-request-id": "chat-7"}


def end(web: Web) -> tuple[str, Any]:
    """Return close reason and error type of the only connection."""
    (span,) = web.server_spans()
    attributes = span.attributes
    return attributes["otel_meta.websocket.close_reason"], attributes.get("error.type")


def reset(connection: ClientConnection) -> None:
    """Close the socket without a close frame."""
    connection.socket.shutdown(socket.SHUT_RDWR)


def leave(connection: ClientConnection) -> None:
    """Close the connection as a page does."""
    connection.close(1001)


@pytest.mark.parametrize("server", SERVERS)
class TestUvicorn:
    @pytest.mark.parametrize(("go", "reason"), [(reset, "vanished"), (leave, "going_away")])
    def test_client_that_leaves_during_push_has_its_reason(
        self,
        web: Web,
        serving: Serving,
        eventually: Eventually,
        *,
        server: str,
        go: Callable[[ClientConnection], None],
        reason: str,
    ) -> None:
        """A client that leaves while the application only sends has the reason of its close."""

        @web.app.websocket("/push")
        async def push(connection: WebSocket) -> None:
            await connection.accept()
            while True:
                await connection.send_text("a" * 1000)
                await asyncio.sleep(0.001)

        with serving(web.app, ws=server) as client:
            with connect(f"ws://127.0.0.1:{client.base_url.port}/push") as connection:
                connection.recv()
                go(connection)
            eventually(web.server_spans)

        assert (reason, None) == end(web)
        assert not web.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS)

    def test_shutdown_of_server_is_no_error(
        self, web: Web, serving: Serving, eventually: Eventually, server: str
    ) -> None:
        """The shutdown of the server ends connections without an error."""

        @web.app.websocket("/wait")
        async def wait(connection: WebSocket) -> None:
            await connection.accept()
            await connection.send_text("a")
            async for _ in connection.iter_text():
                pass

        with ExitStack() as connections:
            with serving(web.app, ws=server) as client:
                url = f"ws://127.0.0.1:{client.base_url.port}/wait"
                connection = connections.enter_context(connect(url))
                connection.recv()
            with pytest.raises(ConnectionClosed):
                connection.recv(timeout=20)
            eventually(web.server_spans)

        assert ("service_restart", None) == end(web)

    def test_exception_has_ids_on_its_line(
        self, web: Web, serving: Serving, eventually: Eventually, server: str
    ) -> None:
        """The server's line of an exception has the ids of the connection."""

        @web.app.websocket("/fail")
        async def fail(connection: WebSocket) -> None:
            await connection.accept()
            raise RuntimeError("sold out")

        with serving(web.app, ws=server) as client:
            url = f"ws://127.0.0.1:{client.base_url.port}/fail"
            with (
                connect(url, additional_headers=HEADERS) as connection,
                pytest.raises(ConnectionClosed),
            ):
                connection.recv(timeout=20)
            eventually(web.server_spans)
        (span,) = web.server_spans()
        lines = [line for line in web.captured.logs() if "exception_type" in line]

        assert ("server_error", "RuntimeError") == end(web)
        assert [("chat-7", f"{span.context.trace_id:032x}")] == [
            (line["request_id"], line["trace_id"]) for line in lines
        ]

    def test_denial_response_has_status_and_ids(
        self, web: Web, serving: Serving, eventually: Eventually, server: str
    ) -> None:
        """A denial response has its status on the span, and the ids in its headers."""

        @web.app.websocket("/deny")
        async def deny(connection: WebSocket) -> None:
            await connection.send_denial_response(PlainTextResponse("no", 401))

        with serving(web.app, ws=server) as client:
            url = f"ws://127.0.0.1:{client.base_url.port}/deny"
            with pytest.raises(InvalidStatus) as denied:
                connect(url, additional_headers=HEADERS)
            eventually(web.server_spans)
        response = denied.value.response

        assert (401, "chat-7") == (response.status_code, response.headers["x-request-id"])
        assert ("rejected", None) == end(web)
