"""Scrape targets of a fleet, all on one port."""

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
    """The exposition of one service; each scrape is one step later."""

    def __init__(self, service: Service) -> None:
        self._series = [(one.head, one.values) for one in exposed(service)]
        self._steps = count()

    def __len__(self) -> int:
        return len(self._series)

    def render(self) -> bytes:
        """Return the current exposition."""
        step = next(self._steps)
        return "".join(f"{head} {_text(values, step)}\n" for head, values in self._series).encode()


@cache
def _text(values: Values, step: int) -> str:
    return repr(values.at(step))


@contextmanager
def served(targets: Sequence[Target]) -> Generator[int]:
    """Serve the targets at ``/0``, ``/1`` and so on, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = targets[int(self.path.removeprefix("/"))].render()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
