from __future__ import annotations

import pytest
from fastapi import WebSocketDisconnect
from opentelemetry.trace import StatusCode

from .app import ShopError, build
from .conftest import Instrument
from .driver import Peer, connect
from .recorded import ACTIVE, Recorded, exceptions
from .test_errors import SHOP_ERROR

ROUTE = "/rooms/{room}"
OPEN = "websocket_connections_active"
CAPTURED = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE"
CLOSED = "websocket_connections_closed_total"


class TestWebSocket:
    def test_connection_has_one_span_named_by_route(self, recorded: Recorded) -> None:
        """A WebSocket has one server span, named by its route, without an HTTP status of 200."""
        recorded.connect("/rooms/berlin", ("hello",))

        span = recorded.span()
        attributes = span.attributes or {}
        assert span.name.endswith(ROUTE)
        assert ROUTE == attributes.get("http.route")
        assert 200 != attributes.get("http.response.status_code")

    @pytest.mark.parametrize("code", [1000, 1001, 1005])
    def test_close_by_client_is_no_error(self, recorded: Recorded, code: int) -> None:
        """A connection that the client closes is no error."""
        recorded.connect("/rooms/berlin", ("hello",), code)

        span = recorded.span()
        assert StatusCode.UNSET is span.status.status_code
        assert [] == exceptions(span)

    def test_no_closed_connection_is_open(self, recorded: Recorded) -> None:
        """No closed connection is counted as open."""
        recorded.connect("/rooms/berlin", ("hello",))
        recorded.connect("/fail-socket")

        assert {0.0} == {value for _, value in recorded.series(OPEN)}
        assert [] == [value for _, value in recorded.series(ACTIVE) if value != 0]

    @pytest.mark.parametrize(
        ("path", "code", "expected"),
        [
            pytest.param("/rooms/berlin", 1000, 1000, id="client closes"),
            pytest.param("/rooms/berlin", 1006, 1006, id="client vanishes"),
            pytest.param("/rooms/berlin", 4001, 4001, id="client's own code"),
            pytest.param("/close/1012", None, 1012, id="server closes"),
            pytest.param("/close/4001", None, 4001, id="server's own code"),
        ],
    )
    def test_close_code_is_on_span(
        self, recorded: Recorded, path: str, code: int | None, expected: int
    ) -> None:
        """The close code is on the span."""
        recorded.connect(path, (), code)

        attributes = recorded.span().attributes or {}
        assert expected == attributes["otel_meta.websocket.close_code"]

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("/rooms/berlin", "normal"), ("/reject", "rejected"), ("/fail-socket", "server_error")],
    )
    def test_closed_connection_is_counted_by_reason(
        self, recorded: Recorded, path: str, reason: str
    ) -> None:
        """A closed WebSocket is counted once, by the reason of its end."""
        recorded.connect(path)

        assert [(reason, 1.0)] == [
            (labels["reason"], value) for labels, value in recorded.series(CLOSED) if value
        ]

    def test_exception_is_error_once(self, recorded: Recorded) -> None:
        """An exception of a handler is an error, and is on the span once."""
        peer = recorded.connect("/fail-socket")

        span = recorded.span()
        assert isinstance(peer.error, ShopError)
        assert StatusCode.ERROR is span.status.status_code
        assert [SHOP_ERROR] == exceptions(span)

    def test_exception_after_close_is_visible(self, recorded: Recorded) -> None:
        """An exception after the close leaves the connection good, and is visible in the trace."""
        recorded.connect("/close-and-fail", code=None)

        server, spans = recorded.span(), recorded.captured.spans()
        (teardown,) = [span for span in spans if span.name == "teardown"]
        assert StatusCode.UNSET is server.status.status_code
        assert server.context.trace_id == teardown.context.trace_id
        assert [SHOP_ERROR] == exceptions(teardown)

    def test_disconnect_is_no_exception_after_close(self, recorded: Recorded) -> None:
        """That a client has left is no exception of the application."""
        peer = recorded.connect("/wait-for-text", code=1001)

        assert isinstance(peer.error, WebSocketDisconnect)
        assert "teardown" not in {span.name for span in recorded.captured.spans()}

    @pytest.mark.parametrize("path", ["/reject", "/nowhere"])
    def test_rejected_handshake_is_no_open_connection(self, recorded: Recorded, path: str) -> None:
        """A rejected handshake is recorded, and never was an open connection."""
        recorded.connect(path)

        assert 1 == len(recorded.spans())
        assert {0.0} >= {value for _, value in recorded.series(OPEN)}

    def test_handshake_has_ids(self, recorded: Recorded) -> None:
        """The response to a handshake has the request id."""
        peer = recorded.connect("/rooms/berlin")

        (accept,) = [m for m in peer.sent if m["type"] == "websocket.accept"]
        assert b"x-request-id" in dict(accept["headers"])

    def test_headers_of_handshake_are_captured(self, instrument: Instrument) -> None:
        """The headers of the response to a handshake are captured, as those of a request."""
        recorded = instrument(settings={"environ": {CAPTURED: "x-room"}})
        recorded.connect("/rooms/berlin")

        attributes = recorded.span().attributes or {}
        assert ("berlin",) == attributes["http.response.header.x-room"]

    @pytest.mark.parametrize(
        "path", ["/rooms/berlin", "/close/1012", "/reject", "/nowhere", "/fail-socket"]
    )
    def test_messages_are_those_without_telemetry(self, recorded: Recorded, path: str) -> None:
        """The messages of a WebSocket are those without telemetry."""
        bare = connect(build(), path, ("hello",), 1000)
        peer = recorded.connect(path, ("hello",), 1000)

        assert _shape(bare) == _shape(peer)


def _shape(peer: Peer) -> list[object]:
    """Return the messages without their headers, and the class of the exception."""
    kept = [{k: v for k, v in message.items() if k != "headers"} for message in peer.sent]
    return [*kept, type(peer.error).__name__]
