from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from socket import SHUT_RDWR

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Eventually
from tests.web.cases.recorded import series

from .served import Served, Trace

Leave = Callable[[ClientConnection], None]


def open_socket(served: Served, path: str, trace: Trace) -> ClientConnection:
    """Open a WebSocket."""
    url = f"ws://127.0.0.1:{served.port}{path}"
    return connect(url, additional_headers=trace.header, proxy=None, legacy=True)


def say_goodbye(connection: ClientConnection) -> None:
    """Close as a browser does that leaves the page."""
    connection.close(1001)


def vanish(connection: ClientConnection) -> None:
    """Close the connection below the WebSocket."""
    connection.socket.shutdown(SHUT_RDWR)


def wait_for_close(connection: ClientConnection) -> None:
    """Wait until the server closes."""
    with pytest.raises(ConnectionClosed):
        connection.recv(timeout=20)


class TestClose:
    @pytest.mark.parametrize(
        ("path", "leave", "reason"),
        [
            pytest.param("/rooms/berlin", say_goodbye, "going_away", id="client leaves"),
            pytest.param("/rooms/berlin", vanish, "vanished", id="client vanishes"),
            pytest.param("/close/4001", wait_for_close, "application", id="server closes"),
        ],
    )
    def test_close_is_counted_by_reason(
        self, served: Served, path: str, leave: Leave, reason: str
    ) -> None:
        """The close of a WebSocket is counted by its reason, and is no error."""
        trace = Trace()
        before = closed_connections(served)
        connection = open_socket(served, path, trace)
        leave(connection)
        connection.close()

        assert "error.type" not in served.attributes(trace)
        assert Counter([reason]) == closed_connections(served) - before

    def test_failed_handler_is_error(self, served: Served) -> None:
        """A WebSocket whose handler fails is an error."""
        trace = Trace()
        wait_for_close(open_socket(served, "/fail-socket", trace))

        assert served.attributes(trace)["error.type"].endswith("ShopError")

    @pytest.mark.parametrize("path", ["/reject", "/nowhere"])
    def test_rejected_handshake_is_recorded(self, served: Served, path: str) -> None:
        """A rejected handshake has a span, and the response has the request id."""
        trace = Trace()
        with pytest.raises(InvalidStatus) as refused:
            open_socket(served, path, trace)

        assert 403 == refused.value.response.status_code
        assert trace.id == served.span(trace).trace_id.hex()

    def test_handshake_has_ids(self, served: Served) -> None:
        """The response to a handshake has the request id."""
        with open_socket(served, "/rooms/berlin", Trace()) as connection:
            assert connection.response is not None
            assert "x-request-id" in connection.response.headers

    def test_no_connection_stays_open(self, served: Served, eventually: Eventually) -> None:
        """No connection is counted as open when it is closed."""
        for leave in (say_goodbye, vanish):
            leave(open_socket(served, "/rooms/berlin", Trace()))

        eventually(lambda: {0.0} == set(open_connections(served)))


def closed_connections(served: Served) -> Counter[str]:
    """Return the number of closed WebSockets by reason."""
    page = served.get("/metrics").text
    counted: Counter[str] = Counter()
    for labels, value in series(page, "websocket_connections_closed_total"):
        counted[labels["reason"]] += int(value)
    return counted


def open_connections(served: Served) -> list[float]:
    """Return the values of the series of open WebSockets."""
    page = served.get("/metrics").text
    return [value for _, value in series(page, "websocket_connections_active")]
