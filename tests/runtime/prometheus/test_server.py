from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.prometheus import server as module
from otel_meta.runtime.prometheus.handler import PLAIN, Answer, ScrapeRequest
from otel_meta.runtime.prometheus.server import Port

if TYPE_CHECKING:
    from tests.conftest import Eventually

PATIENCE = 20.0

Opening = Callable[..., Port]


class Pages:
    """Answers that can be waited for."""

    def __init__(self) -> None:
        self.asked: list[ScrapeRequest] = []
        self.told: list[tuple[str, str]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.body = b"page"

    def answer(self, asked: ScrapeRequest) -> Answer:
        """The page, once it may be."""
        self.asked.append(asked)
        if asked.query == "broken":
            raise RuntimeError("broken")
        if asked.query != "quick":
            assert self.go_on.wait(PATIENCE)
        return Answer(200, {"content-type": PLAIN, "vary": "accept"}, self.body)

    def tell(self, metric: str, reason: str, _detail: object) -> None:
        """Keep a fault."""
        self.told.append((metric, reason))


@pytest.fixture
def pages() -> Pages:
    """Answers that can be waited for."""
    return Pages()


@pytest.fixture
def opened(pages: Pages) -> Iterator[Opening]:
    """Open a port."""
    ports: list[Port] = []

    def open_port(host: str = "127.0.0.1", number: int = 0) -> Port:
        ports.append(Port(pages.answer, host, number, pages.tell))
        return ports[-1]

    yield open_port
    pages.go_on.set()
    for port in ports:
        port.close(PATIENCE)


def ask(port: Port, path: str = "/metrics", method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for a path."""
    host = f"[{port.host}]" if ":" in port.host else port.host
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        return client.request(method, f"http://{host}:{port.number}{path}", headers=headers)


def raw(port: Port, request: bytes) -> bytes:
    """Send bytes as they are, and return what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port.number), PATIENCE) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


class TestAnswer:
    def test_page(self, opened: Opening) -> None:
        """/metrics is the page, with its headers and length, and is kept nowhere."""
        answer = ask(opened())

        assert (200, b"page") == (answer.status_code, answer.content)
        assert (PLAIN, "accept", "4", "no-store") == tuple(
            answer.headers[name]
            for name in ("content-type", "vary", "content-length", "cache-control")
        )

    def test_asked(self, opened: Opening, pages: Pages) -> None:
        """The query and the headers that count are handed on; what is missing is empty."""
        headers = {"accept": "a", "accept-encoding": "b", "authorization": "c"}
        port = opened()
        ask(port, "/metrics?name[]=x", **headers)
        raw(port, b"GET /metrics HTTP/1.0\r\n\r\n")

        assert [ScrapeRequest("name[]=x", "a", "b", "c"), ScrapeRequest()] == pages.asked

    def test_head(self, opened: Opening) -> None:
        """HEAD is GET without the body."""
        port = opened()
        got, head = ask(port), ask(port, method="HEAD")
        dates = {"date"}

        assert (200, b"") == (head.status_code, head.content)
        assert {k: v for k, v in got.headers.items() if k not in dates} == {
            k: v for k, v in head.headers.items() if k not in dates
        }

    @pytest.mark.parametrize("path", ["/", "/metric", "/metrics/", "/favicon.ico", "/a/metrics"])
    def test_elsewhere(self, opened: Opening, path: str) -> None:
        """There is nothing elsewhere, but for a word on where it is."""
        answer = ask(opened(), path)

        assert (404, "metrics are at /metrics\n") == (answer.status_code, answer.text)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_method(self, opened: Opening, method: str) -> None:
        """Other methods are refused, with those that are not."""
        answer = ask(opened(), method=method)

        assert (405, "GET, HEAD") == (answer.status_code, answer.headers["allow"])

    @pytest.mark.parametrize(
        ("request_", "status"),
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
    def test_raw(self, opened: Opening, request_: bytes, status: bytes) -> None:
        """Whatever comes is answered, and does not say what serves it."""
        answer = raw(opened(), request_)

        assert status in answer.split(b"\r\n")[0]
        assert b"Python" not in answer


class TestFaults:
    def test_broken(self, opened: Opening, pages: Pages, eventually: Eventually) -> None:
        """An answer that fails is told of, and the next one is given."""
        port = opened()

        assert b"" == raw(port, b"GET /metrics?broken HTTP/1.0\r\n\r\n")
        eventually(lambda: [("/metrics", "unanswered")] == pages.told)
        assert 200 == ask(port).status_code

    def test_gone(self, opened: Opening, pages: Pages, eventually: Eventually) -> None:
        """A client that does not wait for its answer is no fault."""
        port = opened()
        pages.body = b"x" * 20_000_000  # more than a socket takes unread
        pages.go_on.clear()
        with closing(socket.create_connection(("127.0.0.1", port.number))) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            eventually(lambda: pages.asked)
        pages.go_on.set()
        pages.body = b""

        assert 200 == ask(port, "/metrics?quick").status_code
        assert [] == pages.told


class TestPatience:
    def test_others_served(self, opened: Opening, pages: Pages, eventually: Eventually) -> None:
        """One that hangs, and some that say nothing at all, hold nobody else up."""
        port = opened()
        pages.go_on.clear()
        silent = [socket.create_connection(("127.0.0.1", port.number)) for _ in range(20)]
        slow = threading.Thread(target=raw, args=(port, b"GET /metrics HTTP/1.0\r\n\r\n"))
        slow.start()
        eventually(lambda: pages.asked)

        assert 200 == ask(port, "/metrics?quick").status_code
        assert slow.is_alive()
        pages.go_on.set()
        slow.join(PATIENCE)
        for connection in silent:
            connection.close()

    def test_byte_by_byte(
        self, opened: Opening, pages: Pages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A request that goes on and on is cut off, however lively it is."""
        monkeypatch.setattr(module, "_PATIENCE", 0.2)
        with socket.create_connection(("127.0.0.1", opened().number), PATIENCE) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n")
            connection.settimeout(0.05)
            with pytest.raises(OSError, match=r"reset|roken pipe|closed"):
                _drip(connection)

        assert [] == pages.asked
        assert [] == pages.told


def _drip(connection: socket.socket) -> None:
    """Send a byte, listen, and so on for twenty seconds."""
    for _ in range(400):
        connection.sendall(b"x")
        with suppress(TimeoutError):
            if not connection.recv(1):
                raise ConnectionError("closed")


class TestAddress:
    def test_everywhere(self, opened: Opening) -> None:
        """It may listen on all addresses of the machine."""
        port = opened("0.0.0.0")

        assert b"200" in raw(port, b"GET /metrics HTTP/1.0\r\n\r\n")

    @pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
    def test_both(self, opened: Opening) -> None:
        """On all of IPv6, it answers IPv4 too."""
        port = opened("::")

        assert b"200" in raw(port, b"GET /metrics HTTP/1.0\r\n\r\n")
        with socket.create_connection(("::1", port.number), PATIENCE) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert b"200" in connection.recv(64)

    def test_in_use(self, opened: Opening) -> None:
        """A port that somebody has is an error that says so."""
        port = opened()

        with pytest.raises(PortInUse):
            opened(number=port.number)

    def test_freed(self, pages: Pages) -> None:
        """Once closed, it can be had again."""
        port = Port(pages.answer, "127.0.0.1", 0, pages.tell)
        port.close(PATIENCE)
        again = Port(pages.answer, "127.0.0.1", port.number, pages.tell)
        again.close(PATIENCE)

        assert port.number == again.number

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a b"])
    def test_no_address(self, opened: Opening, host: str) -> None:
        """A host that this machine is not is a configuration error that names it."""
        with pytest.raises(ConfigurationError, match=host):
            opened(host)
