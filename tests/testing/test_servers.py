"""The runner of servers, with a small HTTP server in Python."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_meta.errors import UsageError
from otel_meta.testing.servers import Backend, Program

SERVER = """
import signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
    def log_message(self, *args):
        pass

print("config says", open(sys.argv[1]).read(), flush=True)
if len(sys.argv) > 3:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""

Make = Callable[..., Backend]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tools with Python under another name."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    program = folder / "some-server"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("OTEL_META_TOOLS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def make(tools: Path, tmp_path: Path) -> Iterator[Make]:
    """Function that makes a server; at the end it is killed."""
    made: list[Backend] = []

    def make(*more: str, script: str = "server.py", ready: str = "/ready") -> Backend:
        arguments = (str(tools / script), "{config}", "{port}")
        program = Program(binary="some-server", arguments=arguments, ready=ready)
        folder = tmp_path / "run"
        made.append(Backend(program=program, folder=folder, config="yes", port=0, more=more))
        return made[-1]

    yield make
    for server in made:
        if server.is_running():
            server.kill()


class TestBackend:
    def test_server_runs_with_its_configuration_while_its_context_is_open(self, make: Make) -> None:
        """A server runs with its configuration while its context is open."""
        with make() as server:
            server.wait_until_ready()
            assert server.is_ready()

        assert not server.is_running()
        assert "config says yes\n" == server.log()

    def test_stop_sends_sigterm_and_returns_exit_code(self, make: Make) -> None:
        """stop() sends SIGTERM and returns the exit code."""
        server = make("polite").start().wait_until_ready()

        assert 3 == server.stop()

    def test_killed_server_can_be_started_again_on_its_port(self, make: Make) -> None:
        """A killed server can be started again on its port."""
        server = make("polite").start().wait_until_ready()
        port = server.port

        assert -9 == server.kill()
        assert port == server.start().wait_until_ready().port
        assert "config says yes\n" * 2 == server.log()

    def test_paused_server_is_running_and_not_ready_and_can_be(
        self, make: Make, eventually: Callable[[Callable[[], Any]], None]
    ) -> None:
        """A paused server is running and not ready, and can be stopped."""
        server = make().start().wait_until_ready()
        os.kill(server.pid, signal.SIGSTOP)
        assert (True, False) == (server.is_running(), server.is_ready())
        os.kill(server.pid, signal.SIGCONT)
        eventually(server.is_ready)
        os.kill(server.pid, signal.SIGSTOP)

        assert -15 == server.stop()

    def test_server_that_ends_during_its_start_is_error(self, make: Make, tools: Path) -> None:
        """A server that ends during its start is an error with its last lines."""
        (tools / "wrong.py").write_text("raise SystemExit('no such option')")

        with pytest.raises(UsageError, match="some-server did not start: no such option"):
            make(script="wrong.py").start().wait_until_ready()

    def test_cancelled_wait_returns_without_error(self, make: Make) -> None:
        """A cancelled wait returns without an error."""
        server = make(ready="/never").start()

        assert server is server.wait_until_ready(is_cancelled=lambda: True)

    def test_server_that_was_not_started_cannot_be_stopped(self, make: Make) -> None:
        """A server that was not started cannot be stopped."""
        with pytest.raises(UsageError, match="was not started"):
            make().stop()

    def test_missing_program_is_error_with_cure(self, tmp_path: Path, tools: Path) -> None:
        """A missing program is an error with the cure."""
        program = Program(binary="no-such-server", arguments=(), ready="/")

        with pytest.raises(UsageError, match=r"^no-such-server is not installed: put it on PATH"):
            Backend(program=program, folder=tmp_path / "run", config="", port=0).start()

    def test_server_that_is_never_ready_is_error_after_time_out(self, make: Make) -> None:
        """A server that is never ready is an error after the time-out."""
        server = make(ready="/never").start()

        with pytest.raises(UsageError, match="some-server did not start"):
            server.wait_until_ready(timeout=0.2)
