"""Fixtures for the demo: processes found by a marked environment, and a stand-in service."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.waiting import poll

PATIENCE = 20.0
"""Seconds until a condition that is still false is a failure."""

Eventually = Callable[..., bool]
Request = tuple[str, str, bytes]


class Mark:
    """A variable in the environment, inherited by child processes."""

    def __init__(self) -> None:
        self.environment = {"TEST_MARK": uuid4().hex}

    def processes(self, words: str = "") -> list[int]:
        """Return the pids with the mark and these words in the command, in order."""
        everywhere = (p for p in Path("/proc").iterdir() if p.name.isdecimal())
        return sorted(int(p.name) for p in everywhere if self._on(p) and words in _command(p))

    def gone(self, seconds: float = 3.0) -> bool:
        """Return True if all marked processes end in time."""
        return becomes_true(lambda: not self.processes(), seconds)

    def kill(self) -> None:
        """Kill all marked processes."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _on(self, process: Path) -> bool:
        ((name, value),) = self.environment.items()
        with suppress(OSError):
            return f"{name}={value}".encode() in (process / "environ").read_bytes().split(b"\0")
        return False


class StubService:
    """An HTTP server on loopback that keeps requests and responds with JSON."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.body = b"{}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stub.requests.append((self.command, self.path, body))
                self.send_response(200)
                self.send_header("content-length", str(len(stub.body)))
                self.end_headers()
                self.wfile.write(stub.body)

            do_GET = do_PUT = do_POST  # noqa: N815  # the base calls them by these names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
                """Say nothing."""

        return Handler


def becomes_true(condition: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Return True if a condition becomes true in time."""
    return bool(poll(condition, seconds, interval=0.02))


def _command(process: Path) -> str:
    with suppress(OSError):
        return (process / "cmdline").read_text().replace("\0", " ")
    return ""


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Function that returns True if a condition becomes true in time."""
    return becomes_true


@pytest.fixture(scope="module")
def new_mark() -> Iterator[Callable[[], Mark]]:
    """Function that makes marks; at the end their processes are killed."""
    made: list[Mark] = []

    def make() -> Mark:
        made.append(Mark())
        return made[-1]

    yield make
    for mark in made:
        mark.kill()


@pytest.fixture
def mark(new_mark: Callable[[], Mark]) -> Mark:
    """A mark for the processes of one test."""
    return new_mark()


@pytest.fixture
def stub_service() -> Iterator[StubService]:
    """A server in place of a service."""
    server = StubService()
    yield server
    server.close()
