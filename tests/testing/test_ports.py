from __future__ import annotations

import socket

import pytest

from otel_meta.testing.ports import free_port


class TestFreePort:
    def test_wanted(self) -> None:
        """The port wanted, where nobody listens."""
        port = free_port()

        assert port == free_port(port)

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_taken(self, host: str) -> None:
        """Another one, where somebody does."""
        with socket.create_server((host, 0)) as taken:
            port = taken.getsockname()[1]
            found = free_port(port)

        assert port != found
        assert 1024 <= found

    def test_again(self) -> None:
        """The port of a server that has just ended can be had again."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                server.accept()[0].close()
                assert b"" == client.recv(1)

        assert port == free_port(port)
