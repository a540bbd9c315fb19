from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.prometheus.handler import PLAIN_TEXT, Response, ScrapeRequest
from otel_meta.runtime.prometheus.server import MAX_CONNECTIONS, MAX_PAGES, MetricsServer

if TYPE_CHECKING:
    from tests.conftest import Eventually

TIMEOUT = 20.0

StartServer = Callable[..., MetricsServer]


class BlockingHandler:
    """A handler whose responses can be held back."""

    def __init__(self) -> None:
        self.requests: list[ScrapeRequest] = []
        self.faults: list[tuple[str, str]] = []
        self.unblocked = threading.Event()
        self.unblocked.set()
        self.body = b"page"

    def handle(self, request: ScrapeRequest) -> Response:
        """Return a page as soon as the handler is not blocked; at once for the query "quick"."""
        self.requests.append(request)
        if request.query == "broken":
            raise RuntimeError("broken")
        if request.query != "quick":
            assert self.unblocked.wait(TIMEOUT)
        return Response(200, {"content-type": PLAIN_TEXT, "vary": "accept"}, self.body)

    def report(self, source: str, reason: str, _detail: object) -> None:
        """Collect a fault."""
        self.faults.append((source, reason))


@pytest.fixture
def handler() -> BlockingHandler:
    """A handler whose responses can be held back."""
    return BlockingHandler()


@pytest.fixture
def start_server(handler: BlockingHandler) -> Iterator[StartServer]:
    """Start servers, which are closed after the test."""
    servers: list[MetricsServer] = []

    def start(
        host: str = "127.0.0.1", port: int = 0, request_timeout: float = TIMEOUT
    ) -> MetricsServer:
        servers.append(
            MetricsServer(
                handler.handle, host, port, handler.report, request_timeout=request_timeout
            )
        )
        return servers[-1]

    yield start
    handler.unblocked.set()
    for server in servers:
        server.close(TIMEOUT)


def request(
    server: MetricsServer, path: str = "/metrics", method: str = "GET", **headers: str
) -> httpx.Response:
    """Send a request with httpx."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
        return client.request(method, f"http://{host}:{server.port}{path}", headers=headers)


def send_raw(server: MetricsServer, data: bytes) -> bytes:
    """Send bytes, and return all bytes received until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


class TestResponse:
    def test_metrics_path_is_page(self, start_server: StartServer) -> None:
        """/metrics responds with the page, its headers and length, not to be cached."""
        response = request(start_server())

        assert (200, b"page") == (response.status_code, response.content)
        assert (PLAIN_TEXT, "accept", "4", "no-store") == tuple(
            response.headers[name]
            for name in ("content-type", "vary", "content-length", "cache-control")
        )

    def test_handler_gets_query_and_headers(
        self, start_server: StartServer, handler: BlockingHandler
    ) -> None:
        """The handler gets the query and the relevant headers."""
        headers = {"accept": "a", "accept-encoding": "b", "authorization": "c"}
        headers["x-prometheus-scrape-timeout-seconds"] = "10"
        request(start_server(), "/metrics?name[]=x", **headers)

        assert [ScrapeRequest("name[]=x", "a", "b", "c", "10")] == handler.requests

    def test_missing_headers_are_empty(
        self, start_server: StartServer, handler: BlockingHandler
    ) -> None:
        """The handler gets empty text for missing headers."""
        send_raw(start_server(), b"GET /metrics HTTP/1.0\r\n\r\n")

        assert [ScrapeRequest()] == handler.requests

    def test_head_is_get_without_body(self, start_server: StartServer) -> None:
        """HEAD is GET without the body."""
        server = start_server()
        get, head = request(server), request(server, method="HEAD")

        assert (200, b"") == (head.status_code, head.content)
        assert {k: v for k, v in get.headers.items() if k != "date"} == {
            k: v for k, v in head.headers.items() if k != "date"
        }

    @pytest.mark.parametrize("path", ["/", "/metric", "/metrics/", "/favicon.ico", "/a/metrics"])
    def test_other_paths_are_not_found(self, start_server: StartServer, path: str) -> None:
        """Other paths are a 404 with a hint to /metrics."""
        response = request(start_server(), path)

        assert (404, "this port serves /metrics\n") == (response.status_code, response.text)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_other_methods_are_not_allowed(self, start_server: StartServer, method: str) -> None:
        """Other methods are a 405 with the allowed methods."""
        response = request(start_server(), method=method)

        assert (405, "GET, HEAD") == (response.status_code, response.headers["allow"])

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
            (b"GET http://x/metrics HTTP/1.1\r\n\r\n", b"200"),
            (b"GET //[/metrics HTTP/1.1\r\n\r\n", b"404"),
            (b"GET http://[/metrics HTTP/1.1\r\n\r\n", b"404"),
            (b"BREW /metrics HTTP/1.1\r\n\r\n", b"501"),
            (b"GET /metrics HTTP/9\r\n\r\n", b"400"),
            (b"nonsense\r\n\r\n", b"400"),
            (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        ],
    )
    def test_any_bytes_get_response(
        self, start_server: StartServer, data: bytes, status: bytes
    ) -> None:
        """Any request gets a response without the name of the server software."""
        response = send_raw(start_server(), data)

        assert status in response.split(b"\r\n")[0]
        assert b"Python" not in response


class TestFaults:
    def test_failed_request_is_reported(
        self, start_server: StartServer, handler: BlockingHandler, eventually: Eventually
    ) -> None:
        """A failed request is reported, and the next request is answered."""
        server = start_server()

        assert b"" == send_raw(server, b"GET /metrics?broken HTTP/1.0\r\n\r\n")
        eventually(lambda: [("/metrics", "unanswered")] == handler.faults)
        assert 200 == request(server).status_code

    def test_late_page_is_reported_and_client_disconnected(
        self, start_server: StartServer, handler: BlockingHandler
    ) -> None:
        """A page that takes too long is reported, and the client is disconnected."""
        server = start_server(request_timeout=0.2)
        handler.unblocked.clear()

        assert b"" == send_raw(server, b"GET /metrics HTTP/1.0\r\n\r\n")
        assert [("/metrics", "late")] == handler.faults

    def test_early_disconnect_is_no_fault(
        self, start_server: StartServer, handler: BlockingHandler, eventually: Eventually
    ) -> None:
        """An early disconnect of a client is no fault."""
        server = start_server()
        handler.body = b"x" * 20_000_000  # more than the buffers of a socket hold
        handler.unblocked.clear()
        with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            eventually(lambda: handler.requests)
        handler.unblocked.set()
        handler.body = b""

        assert 200 == request(server, "/metrics?quick").status_code
        assert [] == handler.faults


class TestSlowClients:
    def test_slow_and_silent_clients_delay_nobody(
        self, start_server: StartServer, handler: BlockingHandler, eventually: Eventually
    ) -> None:
        """A slow request and twenty silent connections do not delay another request."""
        server = start_server()
        handler.unblocked.clear()
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
        slow = threading.Thread(target=send_raw, args=(server, b"GET /metrics HTTP/1.0\r\n\r\n"))
        slow.start()
        eventually(lambda: handler.requests)

        assert 200 == request(server, "/metrics?quick").status_code
        assert slow.is_alive()
        handler.unblocked.set()
        slow.join(TIMEOUT)
        for connection in silent:
            connection.close()

    def test_endless_request_is_disconnected(
        self, start_server: StartServer, handler: BlockingHandler
    ) -> None:
        """A client with an endless request is disconnected at the timeout."""
        server = start_server(request_timeout=0.2)
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n")
            connection.settimeout(0.05)
            with pytest.raises(OSError, match=r"reset|roken pipe|closed"):
                _send_byte_by_byte(connection)

        assert [] == handler.requests
        assert [] == handler.faults

    def test_silent_client_is_disconnected(self, start_server: StartServer) -> None:
        """A silent client is disconnected at the timeout."""
        server = start_server(request_timeout=0.1)

        assert b"" == send_raw(server, b"")

    def test_many_silent_clients_take_no_thread(
        self, start_server: StartServer, eventually: Eventually
    ) -> None:
        """Silent clients take no thread, and the oldest are disconnected above the limit."""
        server = start_server()
        before = threading.active_count()
        with ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), TIMEOUT))
                for _ in range(MAX_CONNECTIONS + 20)
            ]

            assert [b""] * 20 == [client.recv(1) for client in clients[:20]]
            assert 200 == request(server).status_code
            eventually(lambda: before >= threading.active_count())

    def test_pages_are_rendered_by_few_threads(
        self, start_server: StartServer, handler: BlockingHandler, eventually: Eventually
    ) -> None:
        """Concurrent requests are rendered by a few threads, and all get their response."""
        server = start_server()
        handler.unblocked.clear()
        with ThreadPoolExecutor(20) as pool:
            responses = [pool.submit(request, server) for _ in range(20)]
            eventually(lambda: len(handler.requests) == MAX_PAGES)
            threads = _page_threads()
            handler.unblocked.set()

            assert [200] * 20 == [each.result(TIMEOUT).status_code for each in responses]
        assert MAX_PAGES == threads
        eventually(lambda: _page_threads() == 0)

    def test_client_that_reads_nothing_is_disconnected(
        self, start_server: StartServer, handler: BlockingHandler
    ) -> None:
        """A client that does not read its response is disconnected at the timeout."""
        server = start_server(request_timeout=0.2)
        handler.body = b"x" * 20_000_000  # more than the buffers of a socket hold
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            time.sleep(0.3)
            received = b"".join(iter(lambda: connection.recv(65_536), b""))

        assert len(received) < len(handler.body)


class TestFork:
    def test_forked_child_keeps_neither_port_nor_connection(
        self, start_server: StartServer, handler: BlockingHandler, eventually: Eventually
    ) -> None:
        """A forked child keeps neither the port nor a client's connection open."""
        server = start_server()
        handler.unblocked.clear()
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            eventually(lambda: handler.requests)
            with _forked_child():
                server.close(TIMEOUT)

                assert b"" == connection.recv(1)
                assert server.port == start_server(port=server.port).port


@contextmanager
def _forked_child() -> Iterator[None]:
    """Fork a child that lives until the end of the context."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"started")
        signal.pause()
    assert os.read(reader, 7)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def _page_threads() -> int:
    return sum(thread.name == "otel_meta metrics page" for thread in threading.enumerate())


def _send_byte_by_byte(connection: socket.socket) -> None:
    """Send a byte every 0.05 s for twenty seconds; fail as soon as the server disconnects."""
    for _ in range(400):
        connection.sendall(b"x")
        with suppress(TimeoutError):
            if not connection.recv(1):
                raise ConnectionError("closed")


class TestAddress:
    def test_server_can_listen_on_all_addresses(self, start_server: StartServer) -> None:
        """A server can listen on all addresses of the machine."""
        server = start_server("0.0.0.0")

        assert b"200" in send_raw(server, b"GET /metrics HTTP/1.0\r\n\r\n")

    @pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
    def test_all_ipv6_addresses_include_ipv4(self, start_server: StartServer) -> None:
        """A server on all IPv6 addresses accepts IPv4 too."""
        server = start_server("::")

        assert b"200" in send_raw(server, b"GET /metrics HTTP/1.0\r\n\r\n")
        with socket.create_connection(("::1", server.port), TIMEOUT) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert b"200" in connection.recv(64)

    def test_port_in_use_is_refused(self, start_server: StartServer) -> None:
        """A port in use is an error."""
        server = start_server()

        with pytest.raises(PortInUse):
            start_server(port=server.port)

    def test_closed_port_is_free(self, handler: BlockingHandler) -> None:
        """The port of a closed server can be opened again."""
        first = MetricsServer(handler.handle, "127.0.0.1", 0, handler.report)
        first.close(TIMEOUT)
        second = MetricsServer(handler.handle, "127.0.0.1", first.port, handler.report)
        second.close(TIMEOUT)

        assert first.port == second.port

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a b"])
    def test_foreign_host_is_refused(self, start_server: StartServer, host: str) -> None:
        """A foreign host is a configuration error with the name of the host."""
        with pytest.raises(ConfigurationError, match=host):
            start_server(host)


class TestPortSharing:
    def test_worker_joins_shared_port(self, handler: BlockingHandler) -> None:
        """A second worker joins a port that the first worker shares."""
        first = MetricsServer(handler.handle, "127.0.0.1", 0, handler.report, "first")
        second = MetricsServer(handler.handle, "127.0.0.1", first.port, handler.report, "join")
        first.close(TIMEOUT)

        assert 200 == request(second).status_code
        second.close(TIMEOUT)

    def test_first_worker_refuses_shared_port_in_use(self, handler: BlockingHandler) -> None:
        """The first worker refuses a port in use, even a shared one."""
        server = MetricsServer(handler.handle, "127.0.0.1", 0, handler.report, "first")

        with pytest.raises(PortInUse):
            MetricsServer(handler.handle, "127.0.0.1", server.port, handler.report, "first")
        server.close(TIMEOUT)
