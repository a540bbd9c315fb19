from __future__ import annotations

import socket
import struct

import pytest

from tests.conftest import Eventually, wait_until
from tests.web.cases.recorded import ACTIVE, series

from .served import Served, Trace, request_of


def reset(connection: socket.socket) -> None:
    """Close a connection by a reset, as a client whose network fails."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class TestClientLeaves:
    def test_during_stream(self, served: Served) -> None:
        """A client that leaves during a stream is a disconnect, and no error."""
        trace = Trace()
        with served.connect() as connection:
            connection.sendall(request_of("/endless", f"traceparent: {trace.parent}"))
            connection.recv(100)
        attributes = served.attributes(trace)

        assert "client_disconnect" == attributes["otel_meta.outcome"]
        assert "error.type" not in attributes

    @pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
    @pytest.mark.parametrize("path", ["/wait", "/wait-in-thread"])
    def test_while_handler_runs(self, served: Served, path: str, is_reset: bool) -> None:
        """A client that leaves while a handler runs, which never calls receive(), is noticed."""
        trace = Trace()
        connection = served.connect()
        connection.sendall(request_of(f"{path}?seconds=0.2", f"traceparent: {trace.parent}"))
        wait_for_start(served)
        reset(connection) if is_reset else connection.close()
        attributes = served.attributes(trace)

        assert "client_disconnect" == attributes["otel_meta.outcome"]
        assert "error.type" not in attributes

    def test_during_upload(self, served: Served) -> None:
        """A client that leaves during its upload is a disconnect, and no error."""
        trace = Trace()
        headers = (f"traceparent: {trace.parent}", "content-length: 9")
        with served.connect() as connection:
            connection.sendall(request_of("/upload", *headers, method="POST") + b"abc")
            wait_for_start(served)
        attributes = served.attributes(trace)

        assert "client_disconnect" == attributes["otel_meta.outcome"]
        assert "error.type" not in attributes

    def test_response_that_arrives_is_no_disconnect(self, served: Served) -> None:
        """A client that leaves directly after its response has received the response."""
        trace = Trace()
        served.get("/wait", params={"seconds": 0.02}, headers=trace.header)

        assert "ok" == served.attributes(trace)["otel_meta.outcome"]

    def test_no_request_stays_active(self, served: Served, eventually: Eventually) -> None:
        """No request stays active when its client has left."""
        for _ in range(5):
            with served.connect() as connection:
                connection.sendall(request_of("/endless"))
                connection.recv(100)

        eventually(lambda: active(served) == 0)


def wait_for_start(served: Served) -> None:
    """Wait until a request is active."""
    wait_until(lambda: active(served) == 1)


def active(served: Served) -> float:
    """Return the number of active requests."""
    return sum(value for _, value in series(served.get("/metrics").text, ACTIVE))
