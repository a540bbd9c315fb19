from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from otel_meta.testing.loopback import free_port


class TestFreePort:
    def test_preferred_port_that_is_free_is_returned(self) -> None:
        """A preferred port that is free is returned."""
        port = free_port()

        assert port == free_port(port)

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_preferred_port_in_use_is_replaced_by_another_one(self, host: str) -> None:
        """A preferred port in use is replaced by another one."""
        with socket.create_server((host, 0)) as taken:
            port = taken.getsockname()[1]
            found = free_port(port)

        assert port != found
        assert 1024 <= found

    def test_port_with_connections_in_time_wait_is_free(self) -> None:
        """A port with connections in TIME_WAIT is free."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                server.accept()[0].close()
                assert b"" == client.recv(1)

        assert port == free_port(port)

    def test_port_of_another_process_is_not_returned(self) -> None:
        """A port returned in another process is reserved before a server listens."""
        port = free_port()
        script = f"from otel_meta.testing.loopback import free_port; print(free_port({port}))"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )

        assert port != int(done.stdout)
