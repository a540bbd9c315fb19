"""What tests of the demo need: processes that are found again, whoever started them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

PATIENCE = 20.0
"""Seconds until something that should happen is taken not to happen."""

Eventually = Callable[..., bool]
Request = tuple[str, str, bytes]


class Mark:
    """A variable in the environment, which every process hands on to those that it starts."""

    def __init__(self) -> None:
        self.environment = {"TEST_MARK": uuid4().hex}

    def processes(self, words: str = "") -> list[int]:
        """Those that bear the mark and have these words in their command, oldest first."""
        everywhere = (p for p in Path("/proc").iterdir() if p.name.isdecimal())
        return sorted(int(p.name) for p in everywhere if self._on(p) and words in _command(p))

    def gone(self, seconds: float = 3.0) -> bool:
        """Whether none is left, or will be in a moment."""
        return happens(lambda: not self.processes(), seconds)

    def kill(self) -> None:
        """End what is left."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _on(self, process: Path) -> bool:
        ((name, value),) = self.environment.items()
        with suppress(OSError):
            return f"{name}={value}".encode() in (process / "environ").read_bytes().split(b"\0")
        return False


class StandIn:
    """A real server on loopback that keeps what it was asked, and answers with JSON."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer = b"{}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stand_in.requests.append((self.command, self.path, body))
                self.send_response(200)
                self.send_header("content-length", str(len(stand_in.answer)))
                self.end_headers()
                self.wfile.write(stand_in.answer)

            do_GET = do_PUT = do_POST  # noqa: N815  # the base calls them by these names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
                """Say nothing."""

        return Handler


def happens(holds: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Whether something becomes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(found)


def _command(process: Path) -> str:
    with suppress(OSError):
        return (process / "cmdline").read_text().replace("\0", " ")
    return ""


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Whether something becomes true in time."""
    return happens


@pytest.fixture(scope="module")
def new_mark() -> Iterator[Callable[[], Mark]]:
    """Makes marks; whatever still bears one at the end is ended."""
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
def stand_in() -> Iterator[StandIn]:
    """A server that takes the place of a service."""
    server = StandIn()
    yield server
    server.close()
