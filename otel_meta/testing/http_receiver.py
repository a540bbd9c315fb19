"""An HTTP server on loopback for POST requests; the base of the OTLP and webhook receivers."""

from __future__ import annotations

import gzip
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final, Self

from .loopback import LOOPBACK

_POLL: Final = 0.02
"""Seconds between two checks for the end, and so the duration of closing."""


class HttpReceiver(ABC):
    """Listens in a thread of its own while the context is open.

    Args:
        port: 0 for any free port.
    """

    def __init__(self, port: int = 0) -> None:
        handler = partial(_Handler, self.receive)
        self._server: Final = ThreadingHTTPServer((LOOPBACK, port), handler)
        self._thread: Final = Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @abstractmethod
    def receive(self, path: str, body: bytes) -> int:
        """Handle a request, in the thread of the connection.

        Args:
            path: with the query.
            body: decompressed.

        Returns:
            The status of the response; the body is empty.
        """

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, receive: Callable[[str, bytes], int], *arguments: Any) -> None:
        self._receive: Final = receive
        super().__init__(*arguments)  # handles the connection until its end

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.send_response(self._receive(self.path, body))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Log nothing."""
