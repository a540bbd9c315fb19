"""A port of its own for /metrics: a thread a request, and patience with none."""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import OnFault

from .handler import PLAIN, Answer, ScrapeRequest

PATH: Final = "/metrics"

_PATIENCE: Final = 10.0
"""Seconds that a client may take over a request; Prometheus gives up after as many by default."""

_GONE: Final = (ConnectionError, TimeoutError)
"""What a client that does not wait for its answer looks like."""

Others = Literal["never", "later", "now"]


class Port:
    """Serves /metrics on a port until it is closed.

    Args:
        answer: answers a request.
        host: name or address to listen on; "0.0.0.0" or "::" for all.
        port: its number; 0 for any that is free.
        on_fault: is told of answers that failed.
        others: when other processes listen there as well, of which any answers. They all have to
            say so, and those who are there cannot be told apart: "later" is for the first.

    Raises:
        PortInUse: somebody listens there already.
        ConfigurationError: this machine is not that host, or may not listen there.
    """

    def __init__(
        self,
        answer: Callable[[ScrapeRequest], Answer],
        host: str,
        port: int,
        on_fault: OnFault,
        others: Others = "never",
    ) -> None:
        try:
            if others == "later":
                _Server(answer, host, port, on_fault, shared=False).server_close()
            self._server: Final = _Server(answer, host, port, on_fault, shared=others != "never")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(host, port) from error
            raise ConfigurationError(f"cannot serve /metrics on {host}:{port}: {error}") from error
        self.host: Final = host
        self.number: Final[int] = self._server.server_port
        self._thread: Thread | None = Thread(
            target=self._server.serve_forever, name="otel_meta port", daemon=True
        )
        self._thread.start()
        reset_after_fork(self)

    def close(self, timeout: float) -> None:
        """Stop listening."""
        if self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """Leave the port to the parent: a child that has it open answers nobody who connects."""
        self._thread = None
        self._server.socket.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self,
        answer: Callable[[ScrapeRequest], Answer],
        host: str,
        port: int,
        on_fault: OnFault,
        *,
        shared: bool,
    ) -> None:
        self.answer: Final = answer
        self._shared: Final = shared
        self._on_fault: Final = on_fault
        self._since: Final[dict[Any, float]] = {}
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family = found[0][0]
        super().__init__((str(found[0][4][0]), port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:  # "::" takes IPv4 too
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if self._shared:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        TCPServer.server_bind(self)  # HTTPServer's asks a name server about the address
        self.server_port = int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off who takes too long, byte by byte perhaps; called twice a second."""
        latest = time.monotonic() - _PATIENCE
        for request, since in list(self._since.items()):
            if since < latest and self._since.pop(request, None) is not None:
                _cut(request)

    def is_open(self, request: Any) -> bool:
        """Whether a request has not been cut off."""
        return request in self._since

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base class'
        error = sys.exception()
        if not isinstance(error, _GONE):
            self._on_fault(PATH, "unanswered", error)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    error_content_type = PLAIN
    error_message_format = "%(code)d %(message)s\n"

    def parse_request(self) -> bool:
        """What was cut off reads as if it were complete."""
        return super().parse_request() and cast("_Server", self.server).is_open(self.connection)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _refuse(self) -> None:
        self._send(Answer(405, {"content-type": PLAIN, "allow": "GET, HEAD"}, b"use GET\n"))

    # Named as the base class looks them up; others are 501 to it, as to any HTTP server.
    do_CONNECT = do_DELETE = do_OPTIONS = _refuse  # noqa: N815
    do_PATCH = do_POST = do_PUT = do_TRACE = _refuse  # noqa: N815

    def _answer(self, *, with_body: bool) -> None:
        try:
            path, query = urlsplit(self.path)[2:4]
        except ValueError:
            path, query = "", ""
        if path == PATH:
            answer = cast("_Server", self.server).answer(self._asked(query))
        else:
            answer = Answer(404, {"content-type": PLAIN}, b"metrics are at /metrics\n")
        self._send(answer, with_body=with_body)

    def _asked(self, query: str) -> ScrapeRequest:
        names = ("Accept", "Accept-Encoding", "Authorization")
        return ScrapeRequest(query, *(self.headers.get(name, "") for name in names))

    def _send(self, answer: Answer, *, with_body: bool = True) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "otel_meta"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class' name
        """Nothing: a line for each scrape tells nobody anything."""


def _cut(request: socket.socket) -> None:
    with suppress(OSError):  # it was over that moment
        request.shutdown(socket.SHUT_RDWR)
