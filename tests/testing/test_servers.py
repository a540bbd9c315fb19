"""The runner of servers, on small ones that stand in for them."""

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
    """Python under another name, in a folder of tools; nothing else is found there."""
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
    """Makes a server; what still runs at the end is ended."""
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
    def test_runs(self, make: Make) -> None:
        """It runs with its configuration while the context is open, and no longer."""
        with make() as server:
            server.wait_until_ready()
            assert server.is_ready()

        assert not server.is_running()
        assert "config says yes\n" == server.log()

    def test_stop(self, make: Make) -> None:
        """It is told to end, and may say how."""
        server = make("polite").start().wait_until_ready()

        assert 3 == server.stop()

    def test_kill(self, make: Make) -> None:
        """A killed server can say nothing; started again, it is where it was."""
        server = make("polite").start().wait_until_ready()
        port = server.port

        assert -9 == server.kill()
        assert port == server.start().wait_until_ready().port
        assert "config says yes\n" * 2 == server.log()

    def test_pause(self, make: Make, eventually: Callable[[Callable[[], Any]], None]) -> None:
        """A paused server runs and answers nothing, until it goes on; it can be ended as well."""
        server = make().start().wait_until_ready()
        os.kill(server.pid, signal.SIGSTOP)
        assert (True, False) == (server.is_running(), server.is_ready())
        os.kill(server.pid, signal.SIGCONT)
        eventually(server.is_ready)
        os.kill(server.pid, signal.SIGSTOP)

        assert -15 == server.stop()

    def test_ends_instead(self, make: Make, tools: Path) -> None:
        """One that ends instead of serving is an error, with its last words."""
        (tools / "wrong.py").write_text("raise SystemExit('no such option')")

        with pytest.raises(UsageError, match="some-server did not start: no such option"):
            make(script="wrong.py").start().wait_until_ready()

    def test_told_to_end(self, make: Make) -> None:
        """Nobody waits for it any more once it is time to end."""
        server = make(ready="/never").start()

        assert server is server.wait_until_ready(is_cancelled=lambda: True)

    def test_not_started(self, make: Make) -> None:
        """What was not started cannot be ended."""
        with pytest.raises(UsageError, match="was not started"):
            make().stop()

    def test_missing(self, tmp_path: Path, tools: Path) -> None:
        """A program that is not there is an error that says how to get it."""
        program = Program(binary="no-such-server", arguments=(), ready="/")

        with pytest.raises(UsageError, match=r"^no-such-server is not installed: put it on PATH"):
            Backend(program=program, folder=tmp_path / "run", config="", port=0).start()
