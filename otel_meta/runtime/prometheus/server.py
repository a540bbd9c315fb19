"""An HTTP server for /metrics and /slo on a separate port.

One thread runs an event loop that receives requests and sends responses, so that slow clients cost
a connection, but no thread. A few further threads render pages. Connections are limited in number
and in time.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from threading import Thread
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.bounded_threads import BoundedThreads
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.faults import OnFault

from .handler import PLAIN_TEXT, SCRAPE_TIMEOUT, Response, ScrapeRequest

PATH: Final = "/metrics"

REQUEST_TIMEOUT: Final = 10.0
"""Seconds to receive a request, to render the page, and to send it: each is the default scrape
timeout of Prometheus."""

MAX_CONNECTIONS: Final = 100
"""Open connections. One more disconnects the oldest."""

MAX_PAGES: Final = 4
"""Pages that are rendered at a time."""

_ACCEPT_PAUSE: Final = 0.5
"""Seconds until the next connection is accepted after an error."""
_LINGER: Final = 1.0
"""Seconds for a client to close the connection after the response."""
_MAX_HEAD: Final = 2**17
"""Bytes of a request line and headers: more than `BaseHTTPRequestHandler` accepts."""
_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_DISCONNECTED: Final = (ConnectionError, TimeoutError, asyncio.CancelledError)
"""Errors caused by a slow client, by a client's early disconnect, or by the end of the server."""

PortSharing = Literal["exclusive", "first", "join"]
"""Use of a port by several workers of a service (SO_REUSEPORT).

"exclusive": the port belongs to this process. "first": this worker opens the port for the service,
and a port in use is an error. "join": other workers may listen on the port already.
"""

Handle = Callable[[ScrapeRequest], Response]


class MetricsServer:
    """Serves /metrics and further pages on a port until it is closed.

    Args:
        handle: handles a request of /metrics.
        host: name or address to listen on; "0.0.0.0" or "::" for all.
        port: number of the port; 0 for any free port.
        on_fault: called for failed requests.
        port_sharing: use of the port by several workers, of which the kernel picks one for each
            connection. All workers have to share the port. The kernel cannot tell workers from
            other programs of the same user, hence the check of "first".
        request_timeout: seconds to receive a request, to render the page, and to send it.

    Attributes:
        pages: handles a request, by path; pages may be added at any time.

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
        self.pages: Final = {PATH: handle}
        self._on_fault: Final = on_fault
        self._request_timeout: Final = request_timeout
        self._socket: Final = _listen(host, port, port_sharing)
        self.host: Final = host
        self.port: Final[int] = self._socket.getsockname()[1]
        self._pages: Final = BoundedThreads("metrics page", MAX_PAGES, MAX_CONNECTIONS)
        self._connections: Final[dict[socket.socket, asyncio.Task[None]]] = {}
        self._loop: Final = asyncio.SelectorEventLoop()
        self._stopping: Final = asyncio.Event()
        self._thread: Thread | None = Thread(
            target=self._run, name="otel_meta metrics server", daemon=True
        )
        self._thread.start()
        reset_after_fork(self)

    def close(self, timeout: float) -> None:
        """Stop listening, and disconnect all clients.

        Args:
            timeout: seconds to wait for the server's thread.
        """
        if self._thread is not None:
            with suppress(RuntimeError):  # the server is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout)

    def after_fork(self) -> None:
        """Close the child's copies of the sockets: nothing in the child would use them.

        The loop stays open: to close it would remove the parent's sockets from the epoll object,
        which the child shares.
        """
        self._thread = None
        for each in (self._socket, *self._connections):
            each.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        accepting = self._loop.create_task(self._accept())
        await self._stopping.wait()
        accepting.cancel()
        self._socket.close()

    async def _accept(self) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._socket)
            except OSError as error:  # no file descriptor is left
                self._on_fault(PATH, "accept", error)
                await asyncio.sleep(_ACCEPT_PAUSE)
            else:
                self._start_request(connection)

    def _start_request(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        task = self._loop.create_task(self._serve_request(connection))
        self._connections[connection] = task
        task.add_done_callback(lambda _: self._disconnect(connection))
        if len(self._connections) > MAX_CONNECTIONS:
            self._connections.pop(next(iter(self._connections))).cancel()

    def _disconnect(self, connection: socket.socket) -> None:
        self._connections.pop(connection, None)
        with suppress(OSError):  # the client has closed the connection meanwhile
            connection.shutdown(socket.SHUT_RDWR)  # in spite of copies in forked processes
        connection.close()

    async def _serve_request(self, connection: socket.socket) -> None:
        try:
            async with asyncio.timeout(self._request_timeout):
                head = await self._receive_head(connection)
            response = await self._render(head)
            async with asyncio.timeout(self._request_timeout):
                await self._loop.sock_sendall(connection, response)
            async with asyncio.timeout(_LINGER):
                await self._receive_rest(connection)
        except _DISCONNECTED:
            pass
        except Exception as error:
            self._on_fault(PATH, "unanswered", error)

    async def _render(self, head: bytes) -> bytes:
        """Return the bytes of the response.

        Raises:
            ConnectionError: the page is late, which is counted.
        """
        try:
            return await self._pages.run(
                partial(_response, head, self.pages), self._request_timeout
            )
        except TimeoutError as error:
            self._on_fault(PATH, "late", str(error) or "the page is late")
            raise ConnectionError("the page is late") from error

    async def _receive_head(self, connection: socket.socket) -> bytes:
        """Receive the request line and the headers.

        Raises:
            ConnectionError: the client closes the connection before, or sends too much.
        """
        head = b""
        while not _END_OF_HEAD.search(head):
            received = await self._loop.sock_recv(connection, _MAX_HEAD)
            head += received
            if not received or len(head) > _MAX_HEAD:
                raise ConnectionError("there is no end of the headers")
        return head

    async def _receive_rest(self, connection: socket.socket) -> None:
        """Wait for the client's disconnect: after unread bytes, the kernel drops the response."""
        with suppress(OSError):  # the client has disconnected already
            connection.shutdown(socket.SHUT_WR)
        while await self._loop.sock_recv(connection, _MAX_HEAD):
            pass


def _listen(host: str, port: int, port_sharing: PortSharing) -> socket.socket:
    """Return a socket that listens on the port, or translate the error."""
    try:
        if port_sharing == "first":  # an exclusive socket fails if the port is in use
            _new_socket(host, port, shared=False).close()
        return _new_socket(host, port, shared=port_sharing != "exclusive")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise ConfigurationError(f"cannot serve /metrics on {host}:{port}: {error}") from error


def _new_socket(host: str, port: int, *, shared: bool) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.create_server(
        address[:2],
        family=family,
        backlog=MAX_CONNECTIONS,
        reuse_port=shared,
        dualstack_ipv6=family == socket.AF_INET6 and socket.has_dualstack_ipv6(),
    )
    listening.setblocking(False)
    return listening


def _response(head: bytes, pages: Mapping[str, Handle]) -> bytes:
    """Return the bytes of the response to a request."""
    return _RequestHandler(head, pages).response.getvalue()


class _RequestHandler(BaseHTTPRequestHandler):
    """Parses a request and formats the response, both in memory."""

    error_content_type = PLAIN_TEXT
    error_message_format = "%(code)d %(message)s\n"

    def __init__(self, head: bytes, pages: Mapping[str, Handle]) -> None:
        self._head: Final = head
        self._pages: Final = pages
        connection: Any = None
        super().__init__(connection, ("", 0), connection)  # handles the request

    def setup(self) -> None:
        self.rfile = BytesIO(self._head)
        self.wfile = self.response = BytesIO()

    def finish(self) -> None:
        """Keep the response."""

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
        if path in self._pages:
            response = self._pages[path](self._scrape_request(query))
        else:
            served = f"this port serves {' and '.join(self._pages)}\n"
            response = Response(404, {"content-type": PLAIN_TEXT}, served.encode())
        self._send(response, with_body=with_body)

    def _scrape_request(self, query: str) -> ScrapeRequest:
        names = ("Accept", "Accept-Encoding", "Authorization", SCRAPE_TIMEOUT)
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
