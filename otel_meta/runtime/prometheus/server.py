"""An HTTP server for /metrics on a separate port.

Each request has a thread and a time limit: slow clients delay nobody and are disconnected.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import OnFault

from .handler import PLAIN_TEXT, Response, ScrapeRequest

PATH: Final = "/metrics"

REQUEST_TIMEOUT: Final = 10.0
"""Seconds for a request: the default scrape timeout of Prometheus."""

_DISCONNECTED: Final = (ConnectionError, TimeoutError)
"""Errors caused by a client's early disconnect."""

PortSharing = Literal["exclusive", "first", "join"]
"""Use of a port by several workers of a service (SO_REUSEPORT).

"exclusive": the port belongs to this process. "first": this worker opens the port for the service,
and a port in use is an error. "join": other workers may listen on the port already.
"""

Handle = Callable[[ScrapeRequest], Response]


class MetricsServer:
    """Serves /metrics on a port until it is closed.

    Args:
        handle: handles a request.
        host: name or address to listen on; "0.0.0.0" or "::" for all.
        port: number of the port; 0 for any free port.
        on_fault: called for failed requests.
        port_sharing: use of the port by several workers, of which the kernel picks one for each
            connection. All workers have to share the port. The kernel cannot tell workers from
            other programs of the same user, hence the check of "first".
        request_timeout: seconds for a request, from accept to the last byte.

    Raises:
        PortInUse: another process listens on the port.
        ConfigurationError: the host is not an address of this machine, or access is denied.
    """

    def __init__(
        self,
        handle: Handle,
        host: str,
        port: int,
        on_fault: OnFault,
        port_sharing: PortSharing = "exclusive",
        *,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        create = partial(_Server, handle, on_fault, request_timeout)
        self._server: Final = _bind(create, host, port, port_sharing)
        self.host: Final = host
        self.port: Final[int] = self._server.server_port
        self._thread: Thread | None = Thread(
            target=self._server.serve_forever, name="otel_meta metrics server", daemon=True
        )
        self._thread.start()
        reset_after_fork(self)

    def close(self, timeout: float) -> None:
        """Stop listening. Requests under way are not awaited.

        Args:
            timeout: seconds to wait for the server's thread.
        """
        if self._thread is not None:
            self._server.wake_up()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """Close the child's copy of the socket: nothing in the child would accept connections."""
        self._thread = None
        self._server.socket.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self,
        handle: Handle,
        on_fault: OnFault,
        request_timeout: float,
        host: str,
        port: int,
        *,
        shared: bool,
    ) -> None:
        self.handle_scrape: Final = handle
        self.request_timeout: Final = request_timeout
        self._shared: Final = shared
        self._on_fault: Final = on_fault
        self._accepted_at: Final[dict[Any, float]] = {}
        addresses = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family = addresses[0][0]
        super().__init__((str(addresses[0][4][0]), port), _RequestHandler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:  # "::" accepts IPv4 too
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if self._shared:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        TCPServer.server_bind(self)  # HTTPServer.server_bind resolves the name of the address
        self.server_port = int(self.server_address[1])

    def wake_up(self) -> None:
        """Interrupt the wait for connections; otherwise a shutdown takes up to 0.5 s."""
        with suppress(OSError):  # macOS: ENOTCONN, and the wait goes on
            self.socket.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._accepted_at[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._accepted_at.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Disconnect clients after the timeout, even if bytes still arrive; called every 0.5 s."""
        latest = time.monotonic() - self.request_timeout
        for request, accepted_at in list(self._accepted_at.items()):
            if accepted_at < latest and self._accepted_at.pop(request, None) is not None:
                _disconnect(request)

    def is_open(self, request: Any) -> bool:
        """Return True unless the server has closed the connection."""
        return request in self._accepted_at

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base class'
        error = sys.exception()
        if not isinstance(error, _DISCONNECTED):
            self._on_fault(PATH, "unanswered", error)


def _bind(
    create: Callable[..., _Server], host: str, port: int, port_sharing: PortSharing
) -> _Server:
    """Return a server that listens on the port, or translate the error."""
    try:
        if port_sharing == "first":  # an exclusive server fails if the port is in use
            create(host, port, shared=False).server_close()
        return create(host, port, shared=port_sharing != "exclusive")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise ConfigurationError(f"cannot serve /metrics on {host}:{port}: {error}") from error


class _RequestHandler(BaseHTTPRequestHandler):
    error_content_type = PLAIN_TEXT
    error_message_format = "%(code)d %(message)s\n"

    def setup(self) -> None:
        super().setup()
        self._server = cast("_Server", self.server)
        self.connection.settimeout(self._server.request_timeout)

    def parse_request(self) -> bool:
        """Refuse a request after a disconnect: a truncated request can parse as complete."""
        return super().parse_request() and self._server.is_open(self.connection)

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def _refuse(self) -> None:
        self._send(Response(405, {"content-type": PLAIN_TEXT, "allow": "GET, HEAD"}, b"use GET\n"))

    # The base class looks methods up by these names, and answers others with 501.
    do_CONNECT = do_DELETE = do_OPTIONS = _refuse  # noqa: N815
    do_PATCH = do_POST = do_PUT = do_TRACE = _refuse  # noqa: N815

    def _respond(self, *, with_body: bool) -> None:
        try:
            path, query = urlsplit(self.path)[2:4]
        except ValueError:
            path, query = "", ""
        if path == PATH:
            response = self._server.handle_scrape(self._scrape_request(query))
        else:
            response = Response(404, {"content-type": PLAIN_TEXT}, b"metrics are at /metrics\n")
        self._send(response, with_body=with_body)

    def _scrape_request(self, query: str) -> ScrapeRequest:
        names = ("Accept", "Accept-Encoding", "Authorization")
        return ScrapeRequest(query, *(self.headers.get(name, "") for name in names))

    def _send(self, response: Response, *, with_body: bool = True) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(response.body)

    def version_string(self) -> str:
        return "otel_meta"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class' name
        """Log nothing: a line for each scrape would be noise."""


def _disconnect(connection: socket.socket) -> None:
    with suppress(OSError):  # the client has closed the connection meanwhile
        connection.shutdown(socket.SHUT_RDWR)
