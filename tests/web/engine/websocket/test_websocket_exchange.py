from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otel_meta.semconv import (
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
)
from otel_meta.web.asgi import Message, Receive, Scope, Send
from tests.web.engine.direct_calls import DirectCalls, sending

CONNECT: Message = {"type": "websocket.connect"}
ACCEPT: Message = {"type": "websocket.accept"}
TEXT: Message = {"type": "websocket.send", "text": "a"}
HELLO: Message = {"type": "websocket.receive", "text": "a"}
CLOSE: Message = {"type": "websocket.close", "code": 1000}
GONE: Message = {"type": "websocket.disconnect", "code": 1001, "reason": ""}
DENIED: Message = {"type": "websocket.http.response.start", "status": 401, "headers": []}
DENIED_BODY: Message = {"type": "websocket.http.response.body", "body": b"no"}
WS: dict[str, Any] = {"type": "websocket", "scheme": "ws", "path": "/echo"}


class ShopError(Exception):
    """An exception class of the application."""


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Return each message, until the client leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        await send(TEXT)


async def fail(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Accept, and fail."""
    await send(ACCEPT)
    raise ShopError


def ended(direct: DirectCalls) -> tuple[str, Any, Any, float]:
    """Return reason, status and error type on the span, and the open connections."""
    attributes = direct.span.attributes
    return (
        attributes["otel_meta.websocket.close_reason"],
        attributes.get("http.response.status_code"),
        attributes.get("error.type"),
        direct.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS) or 0.0,
    )


class TestReasons:
    @pytest.mark.parametrize(
        ("messages", "end"),
        [
            ([ACCEPT, CLOSE], ("normal", 101, None)),
            ([ACCEPT, {"type": "websocket.close"}], ("normal", 101, None)),
            ([ACCEPT, {**CLOSE, "code": 1008}], ("policy_violation", 101, None)),
            ([ACCEPT, {**CLOSE, "code": 1011}], ("server_error", 101, "server_error")),
            ([ACCEPT, {**CLOSE, "code": 4001}], ("application", 101, None)),
            ([ACCEPT], ("abnormal", 101, "abnormal")),
            ([CLOSE], ("rejected", 403, None)),
            ([DENIED, DENIED_BODY], ("rejected", 401, None)),
            ([{**DENIED, "status": 503}, DENIED_BODY], ("server_error", 503, "server_error")),
            ([], ("abnormal", None, "abnormal")),
        ],
    )
    def test_end_by_application_has_reason(
        self, direct: DirectCalls, messages: list[Message], end: tuple[Any, ...]
    ) -> None:
        """The end of a connection by the application has its reason, on span and metric."""
        direct.run(sending(*messages), **WS)

        assert (*end, 0.0) == ended(direct)
        assert (1, 1) == (
            direct.captured.value(WEBSOCKET_CLOSED_CONNECTIONS, reason=end[0]),
            direct.captured.value(WEBSOCKET_CLOSED_CONNECTIONS),
        )

    def test_end_by_client_has_reason_and_code(self, direct: DirectCalls) -> None:
        """The end of a connection by the client has its reason and its code."""
        direct.run(echo, CONNECT, HELLO, GONE, **WS)

        assert ("going_away", 101, None, 0.0) == ended(direct)
        assert 1001 == direct.span.attributes["otel_meta.websocket.close_code"]

    def test_first_of_two_ends_counts(self, direct: DirectCalls) -> None:
        """The first of two ends counts: a close after the end of the client follows from it."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await echo(scope, receive, send)
            await send({**CLOSE, "code": 1011})

        direct.run(app, CONNECT, GONE, **WS)

        assert ("going_away", 101, None, 0.0) == ended(direct)
        assert () == direct.span.events

    @pytest.mark.parametrize(
        ("error", "reason", "kind"),
        [
            (ShopError(), "server_error", f"{__name__}.ShopError"),
            (asyncio.CancelledError(), "going_away", None),
        ],
    )
    def test_exception_ends_connection(
        self, direct: DirectCalls, error: BaseException, reason: str, kind: str | None
    ) -> None:
        """An exception is an error of the server, a cancellation is none."""

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(ACCEPT)
            raise error

        with pytest.raises(type(error)):
            direct.run(app, **WS)

        assert (reason, 101, kind, 0.0) == ended(direct)
        assert (kind is not None) == bool(direct.span.events)

    def test_connection_lost_while_sending_is_no_error(self, direct: DirectCalls) -> None:
        """A connection that is lost while the application sends is no error of the server."""

        async def lost(message: Message) -> None:
            if message["type"] == "websocket.send":
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            direct.run(sending(ACCEPT, TEXT), CONNECT, send=lost, **WS)

        assert ("vanished", 101, None, 0.0) == ended(direct)

    def test_disconnect_after_lost_connection_reaches_application(
        self, direct: DirectCalls
    ) -> None:
        """The disconnect of a connection lost while sending still reaches the application."""

        async def lost(message: Message) -> None:
            if message["type"] == "websocket.send":
                raise ConnectionResetError

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            await send(ACCEPT)
            with pytest.raises(ConnectionResetError):
                await send(TEXT)
            assert GONE == await receive()

        direct.run(app, GONE, send=lost, **WS)

        assert ("going_away", 101, None, 0.0) == ended(direct)


class TestDurations:
    def test_connection_and_messages_have_durations(self, direct: DirectCalls) -> None:
        """A connection has a duration, as each message sent and received has."""
        direct.run(echo, CONNECT, HELLO, HELLO, GONE, **WS)

        assert 1 == direct.captured.value(WEBSOCKET_CONNECTION_DURATION, reason="going_away")
        assert (2, 2) == tuple(
            direct.captured.value(WEBSOCKET_MESSAGE_DURATION, direction=each)
            for each in ("sent", "received")
        )

    def test_last_message_before_failure_is_handled(self, direct: DirectCalls) -> None:
        """The message at which the application fails is counted as well."""

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(ACCEPT)
            await receive()
            raise ShopError

        with pytest.raises(ShopError):
            direct.run(app, CONNECT, HELLO, **WS)

        assert 1 == direct.captured.value(WEBSOCKET_MESSAGE_DURATION)

    def test_refused_handshake_has_no_duration(self, direct: DirectCalls) -> None:
        """A refused handshake is no connection, and has no duration."""
        direct.run(sending(CLOSE), **WS)

        assert not direct.captured.value(WEBSOCKET_CONNECTION_DURATION)
        assert not direct.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS)

    def test_connection_is_open_during_messages(self, direct: DirectCalls) -> None:
        """A connection is open from its acceptance to its end."""
        seen: list[Any] = []

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            seen.append(direct.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS) or 0)
            await send(ACCEPT)
            seen.append(direct.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS))

        direct.run(app, **WS)

        assert [0, 1] == seen


class TestMessages:
    @pytest.mark.parametrize("start", [ACCEPT, DENIED])
    @pytest.mark.parametrize("kind", [list, iter])
    def test_answer_to_handshake_has_ids(
        self, direct: DirectCalls, start: Message, kind: Any
    ) -> None:
        """The answer to a handshake has the headers of the application and the ids."""
        direct.run(sending({**start, "headers": kind([(b"a", b"b")])}), **WS)

        assert {b"a", b"x-request-id", b"server-timing"} == set(direct.headers)

    def test_wrong_message_gets_error_of_server(self, direct: DirectCalls) -> None:
        """A wrong message gets the error of the server."""

        async def strict(message: Message) -> None:
            raise KeyError(message["type"])

        with pytest.raises(KeyError, match="a"):
            direct.run(sending({"type": "a"}), send=strict, **WS)

        assert 1 == len(direct.captured.spans())

    def test_clock_that_fails_leaves_messages(self, direct: DirectCalls) -> None:
        """A clock that fails leaves the messages as they are."""
        times = iter([1.0])
        direct.with_options(clock=lambda: next(times))
        direct.run(echo, CONNECT, HELLO, GONE, **WS)

        assert ["websocket.accept", "websocket.send"] == [each["type"] for each in direct.sent]
        assert 0.0 == (direct.captured.value(WEBSOCKET_ACTIVE_CONNECTIONS) or 0.0)

    def test_name_of_span_is_that_of_websocket(self, direct: DirectCalls) -> None:
        """The name of the span says that it is of a WebSocket."""
        direct.run(echo, CONNECT, GONE, **WS)

        assert "WS" == direct.span.name
        assert [] == direct.results()
