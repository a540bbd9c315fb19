"""Services that only answer scrapes, each at its own path of one port."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

from .fleet import Service, Values, exposed


class Target:
    """What one service answers; each answer is one step further."""

    def __init__(self, service: Service) -> None:
        self._series = [(one.head, one.values) for one in exposed(service)]
        self._steps = count()

    def __len__(self) -> int:
        return len(self._series)

    def answer(self) -> bytes:
        """The exposition now."""
        step = next(self._steps)
        return "".join(f"{head} {_text(values, step)}\n" for head, values in self._series).encode()


@cache
def _text(values: Values, step: int) -> str:
    return repr(values.at(step))


@contextmanager
def served(targets: Sequence[Target]) -> Generator[int]:
    """Answer at ``/0``, ``/1`` and so on; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = targets[int(self.path.removeprefix("/"))].answer()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
