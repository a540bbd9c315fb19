from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.sync.client import connect

from otel_meta import instrument_fastapi
from otel_meta.testing import capture

if TYPE_CHECKING:
    from tests.conftest import Eventually, Serving
    from tests.web.conftest import Web

    Raw = Callable[[httpx.Client, bytes], bytes]


class ShopError(Exception):
    """An error of the application's own."""


class Closed:
    """A middleware that answers before the application is asked."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have it answered."""
        answer = PlainTextResponse("closed", 503) if scope["path"] == "/closed" else self.app
        await answer(scope, receive, send)


class TestCounted:
    def test_once(self, web: Web, serving: Serving) -> None:
        """A request is one sample and one server span."""
        web.app.get("/items/{name}")(lambda name: name)
        with serving(web.app) as client:
            client.get("/items/7")

        assert [("GET", "/items/{name}", "200", "")] == web.samples()
        assert ["GET /items/{name}"] == [span.name for span in web.captured.spans()]
        assert 1 == len(web.server_spans())

    def test_labels(self, web: Web, serving: Serving) -> None:
        """A scrape shows it under the conventions' names."""
        web.app.get("/items/{name}")(lambda name: name)
        with serving(web.app) as client:
            client.get("/items/7")
            text = client.get("/metrics").text

        assert (
            'http_server_request_duration_seconds_count{http_request_method="GET",'
            'http_response_status_code="200",http_route="/items/{name}",'
            'service_name="service-under-test",url_scheme="http"} 1'
        ) in text.splitlines()

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_method(self, web: Web, serving: Serving, method: str) -> None:
        """The method is a label."""
        web.app.api_route("/", methods=[method])(lambda: "")
        with serving(web.app) as client:
            client.request(method, "/")

        assert [(method, "/", "200", "")] == web.samples()

    def test_unknown_methods(self, web: Web, serving: Serving) -> None:
        """Methods that nobody knows share one label value, and are no fault."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            for number in range(3):
                client.request(f"EVIL{number}", "/")

        assert [("_OTHER", "/", "405", "")] * 3 == web.samples()
        assert 0 == web.captured.telemetry.faults.count()

    def test_nowhere(self, web: Web, serving: Serving) -> None:
        """Paths that there are not share one series, and no path is anywhere in it."""
        with serving(web.app) as client:
            for number in range(3):
                client.get(f"/nowhere/{number}")

        assert [("GET", "", "404", "")] * 3 == web.samples()
        assert {"GET"} == {span.name for span in web.captured.spans()}

    def test_middleware(self, web: Web, serving: Serving) -> None:
        """What a middleware answers is counted, though it was added later."""
        web.app.add_middleware(Closed)
        with serving(web.app) as client:
            client.get("/closed")

        assert [("GET", "", "503", "503")] == web.samples()

    def test_active(self, web: Web, serving: Serving) -> None:
        """While a request is answered it is active, and afterwards it is not."""
        seen: list[float] = []
        web.app.get("/")(lambda: seen.append(web.active()))
        web.app.get("/fail")(lambda: 1 / 0)
        with serving(web.app) as client:
            client.get("/")
            client.get("/fail")

        assert ([1.0], 0.0) == (seen, web.active())


class TestErrors:
    def test_raised(self, web: Web, serving: Serving) -> None:
        """A handler that raises is a 500, by its exception's class."""

        @web.app.get("/")
        async def fail() -> None:
            raise ShopError

        with serving(web.app) as client:
            answer = client.get("/")

        assert 500 == answer.status_code
        assert {"x-request-id", "traceresponse"} <= set(answer.headers)
        assert [("GET", "/", "500", f"{__name__}.ShopError")] == web.samples()
        assert "ERROR" == web.server_spans()[0].status.status_code.name

    def test_dependency(self, web: Web, serving: Serving) -> None:
        """So is a dependency that raises."""

        def fail() -> None:
            raise RuntimeError

        web.app.get("/", dependencies=[Depends(fail)])(lambda: "")
        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", "500", "RuntimeError")] == web.samples()

    @pytest.mark.parametrize(("status", "error"), [(403, ""), (500, "500"), (503, "503")])
    def test_http_exception(self, web: Web, serving: Serving, status: int, error: str) -> None:
        """A refusal is no error; a status from 500 on is."""

        @web.app.get("/")
        async def refuse() -> None:
            raise HTTPException(status)

        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", str(status), error)] == web.samples()

    def test_handled(self, web: Web, serving: Serving) -> None:
        """An exception that the application handles is none."""

        @web.app.exception_handler(ShopError)
        async def handle(_request: Request, _error: Exception) -> Response:
            return PlainTextResponse("sold out", 409)

        @web.app.get("/")
        async def fail() -> None:
            raise ShopError

        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", "409", "")] == web.samples()

    def test_validation(self, web: Web, serving: Serving) -> None:
        """Neither is a request that does not fit."""

        @web.app.get("/items/{number}")
        async def item(number: int) -> int:
            return number

        with serving(web.app) as client:
            client.get("/items/x")

        assert [("GET", "/items/{number}", "422", "")] == web.samples()

    def test_stream(self, web: Web, serving: Serving) -> None:
        """A stream that fails midway keeps its status, and is an error."""

        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise ShopError

        web.app.get("/")(lambda: StreamingResponse(chunks()))
        with serving(web.app) as client, pytest.raises(httpx.RemoteProtocolError):
            client.get("/")

        assert [("GET", "/", "200", f"{__name__}.ShopError")] == web.samples()

    def test_after(self, web: Web, serving: Serving) -> None:
        """What a dependency raises after the response is not the response's."""

        async def session() -> AsyncIterator[None]:
            yield
            raise ShopError

        web.app.get("/", dependencies=[Depends(session, scope="request")])(lambda: "")
        with serving(web.app) as client:
            assert 200 == client.get("/").status_code

        assert [("GET", "/", "200", "")] == web.samples()


class TestDuration:
    def test_background(self, web: Web, serving: Serving, eventually: Eventually) -> None:
        """A request is over with its last byte, whatever is still to be done in the background."""
        release = threading.Event()

        @web.app.get("/")
        async def answer(tasks: BackgroundTasks) -> str:
            tasks.add_task(lambda: release.wait(20))
            return "done"

        with serving(web.app) as client:
            client.get("/")
            eventually(web.samples)
            active = web.active()
            release.set()

        assert 0.0 == active
        assert [("GET", "/", "200", "")] == web.samples()

    def test_background_raises(self, web: Web, serving: Serving) -> None:
        """What fails in the background does not make the request fail."""

        @web.app.get("/")
        async def answer(tasks: BackgroundTasks) -> str:
            tasks.add_task(lambda: 1 / 0)
            return "done"

        with serving(web.app) as client:
            assert 200 == client.get("/").status_code

        assert [("GET", "/", "200", "")] == web.samples()

    def test_stream(self, web: Web, serving: Serving) -> None:
        """A stream is over with its last chunk, not with its first."""
        counted: list[int] = []

        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            counted.append(len(web.samples()))
            yield b"last"

        web.app.get("/")(lambda: StreamingResponse(chunks()))
        with serving(web.app) as client:
            assert "firstlast" == client.get("/").text

        assert ([0], 1) == (counted, len(web.samples()))


class TestClientLeaves:
    def test_stream(self, web: Web, serving: Serving, eventually: Eventually) -> None:
        """A client that leaves a stream is no error of the server's."""

        async def chunks() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.01)

        web.app.get("/")(lambda: StreamingResponse(chunks()))
        with serving(web.app) as client:
            with client.stream("GET", "/") as response:
                next(response.iter_raw())
            eventually(web.samples)

        assert [("GET", "/", "200", "")] == web.samples()
        assert 0.0 == web.active()

    def test_upload(self, web: Web, serving: Serving, eventually: Eventually) -> None:
        """Neither is one that leaves before it has sent everything."""

        @web.app.post("/")
        async def take(request: Request) -> int:
            return len(await request.body())

        with serving(web.app) as client:
            address = (client.base_url.host, client.base_url.port or 0)
            with socket.create_connection(address) as connection:
                connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc")
                eventually(lambda: web.active() == 1)
            eventually(web.samples)
        ((_, _, _, error),) = web.samples()

        assert "" == error

    def test_waiting(self, web: Web, serving: Serving, eventually: Eventually) -> None:
        """Nor is one that does not wait for its answer."""
        release = threading.Event()
        web.app.get("/")(lambda: release.wait(20))
        with serving(web.app) as client:
            address = (client.base_url.host, client.base_url.port or 0)
            with socket.create_connection(address) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                eventually(lambda: web.active() == 1)
            release.set()
            eventually(web.samples)

        assert [("GET", "/", "200", "")] == web.samples()

    def test_server_stops(self, web: Web, serving: Serving, eventually: Eventually) -> None:
        """A request that the server gives up when it stops is no error, and has no status."""
        web.app.get("/")(_never)
        with (
            serving(web.app, timeout_graceful_shutdown=1) as client,
            socket.create_connection((client.base_url.host, client.base_url.port or 0)) as asking,
        ):
            asking.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            eventually(lambda: web.active() == 1)

        assert [("GET", "/", "", "")] == web.samples()
        assert 0.0 == web.active()


async def _never() -> None:
    await asyncio.Event().wait()


class TestIds:
    def test_kept(self, web: Web, serving: Serving) -> None:
        """The caller's request id is returned, and is in the lines of the request."""
        web.app.get("/")(lambda: structlog.get_logger("shop").info("sold"))
        with serving(web.app) as client:
            answer = client.get("/", headers={"x-request-id": "order-7"})
        (line,) = [line for line in web.captured.logs() if line["event"] == "sold"]

        assert "order-7" == answer.headers["x-request-id"] == line["request_id"]

    @pytest.mark.parametrize("hostile", [b"a b", b'"}', b"\xff", b"a" * 129, b"<script>"])
    def test_hostile(self, web: Web, serving: Serving, raw: Raw, hostile: bytes) -> None:
        """One that could do harm is replaced by a new one."""
        with serving(web.app) as client:
            answer = raw(
                client,
                b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-request-id: "
                + hostile
                + b"\r\n\r\n",
            )

        assert re.search(rb"\r\nx-request-id: [0-9a-f]{32}\r\n", answer)

    def test_new(self, web: Web, serving: Serving) -> None:
        """Without one, each request has a new one."""
        with serving(web.app) as client:
            ids = {client.get("/").headers["x-request-id"] for _ in range(3)}

        assert 3 == len(ids)

    def test_own(self, web: Web, serving: Serving) -> None:
        """One that the application sends itself comes once."""

        @web.app.get("/")
        async def answer(response: Response) -> None:
            response.headers["x-request-id"] = "its-own"

        with serving(web.app) as client:
            ids = client.get("/").headers.get_list("x-request-id")

        assert ["its-own"] == ids

    def test_traceresponse(self, web: Web, serving: Serving) -> None:
        """The caller is told the request's span."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            answer = client.get("/")
        context = web.server_spans()[0].context

        assert answer.headers["traceresponse"].startswith(
            f"00-{context.trace_id:032x}-{context.span_id:016x}-"
        )

    @pytest.mark.parametrize(("flags", "spans"), [("00", 0), ("01", 1)])
    def test_traceparent(self, web: Web, serving: Serving, flags: str, spans: int) -> None:
        """A trace goes on, sampled or not; what is not sampled is counted all the same."""
        web.app.get("/")(lambda: "")
        trace_id = "0123456789abcdef0123456789abcdef"
        with serving(web.app) as client:
            headers = {"traceparent": f"00-{trace_id}-0123456789abcdef-{flags}"}
            answer = client.get("/", headers=headers)

        assert answer.headers["traceresponse"].startswith(f"00-{trace_id}-")
        assert answer.headers["traceresponse"].endswith(f"-{flags}")
        assert (spans, 1) == (len(web.server_spans()), len(web.samples()))

    @pytest.mark.parametrize(
        "bad",
        ["", "00", "00-0-0-0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "zz" * 40, "\xff"],
    )
    def test_bad_traceparent(self, web: Web, serving: Serving, bad: str) -> None:
        """One that makes no sense begins a new trace."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            answer = client.get("/", headers={"traceparent": bad.encode("latin-1")})

        assert 200 == answer.status_code
        assert web.server_spans()[0].parent is None

    def test_concurrent(self, web: Web, serving: Serving) -> None:
        """Two hundred requests at the same time each keep their own ids."""

        @web.app.get("/async")
        async def in_loop() -> dict[str, Any]:
            before = dict(structlog.contextvars.get_contextvars())
            structlog.contextvars.bind_contextvars(order=before["request_id"])
            await asyncio.sleep(0.05)
            return dict(structlog.contextvars.get_contextvars())

        @web.app.get("/sync")
        def in_thread() -> dict[str, Any]:
            return dict(structlog.contextvars.get_contextvars())

        async def ask_all(url: httpx.URL) -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=200)
            async with httpx.AsyncClient(
                base_url=url, limits=limits, timeout=60, trust_env=False
            ) as client:
                return await asyncio.gather(
                    *(
                        client.get(
                            "/sync" if n % 4 == 0 else "/async",
                            headers={"x-request-id": f"order-{n}"},
                        )
                        for n in range(200)
                    )
                )

        with serving(web.app) as client:
            answers = asyncio.run(ask_all(client.base_url))

        assert [f"order-{n}" for n in range(200)] == [a.json()["request_id"] for a in answers]
        assert [f"order-{n}" for n in range(200)] == [a.headers["x-request-id"] for a in answers]
        assert [] == [
            a for a in answers if a.json().get("order") not in {None, a.json()["request_id"]}
        ]
        assert 200 == len({a.headers["traceresponse"] for a in answers})
        assert (200, 0.0) == (len(web.samples()), web.active())


Twins = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def twins(serving: Serving) -> Iterator[Twins]:
    """The same application twice: without telemetry, and with."""
    with capture() as captured:
        bare, instrumented = FastAPI(), FastAPI()
        instrument_fastapi(instrumented, captured.telemetry)
        for app in (bare, instrumented):
            app.get("/items/{name}")(lambda name: name)
            app.get("/fail")(lambda: 1 / 0)
        with serving(bare) as one, serving(instrumented) as other:
            yield one, other


class TestSameAnswer:
    @pytest.mark.parametrize(
        "request_line",
        [
            b"GET /items/7 HTTP/1.1",
            b"GET /items/7?a=%FF HTTP/1.1",
            b"GET /items/%FF HTTP/1.1",
            b"GET /nowhere HTTP/1.1",
            b"HEAD /items/7 HTTP/1.1",
            b"OPTIONS /items/7 HTTP/1.1",
            b"EVIL /items/7 HTTP/1.1",
            b"POST /items/7 HTTP/1.1",
            b"GET /items/7/ HTTP/1.1",
            b"GET /fail HTTP/1.1",
            pytest.param(
                b"GET /items/7 HTTP/1.1\r\nuser-agent: \xff\\x",
                marks=pytest.mark.xfail(strict=True, reason="contrib decodes headers as UTF-8"),
            ),
            b"GET /items/7 HTTP/1.1\r\nreferer: \xff\xfe",
            b"GET /items/7 HTTP/1.1\r\ntraceparent: \xff",
            b"GET /items/7 HTTP/1.1\r\nbaggage: " + b"a=b," * 10_000,
            b"GET /items/7 HTTP/1.1\r\ntracestate: " + b",".join(b"a%d=b" % n for n in range(600)),
            b"GET /items/7 HTTP/1.1\r\nx-forwarded-for: \xff",
        ],
        ids=lambda line: line[:50].decode("latin-1"),
    )
    def test_raw(self, twins: Twins, raw: Raw, request_line: bytes) -> None:
        """Whatever bytes are sent, the answer is that of the application without telemetry."""
        request = request_line + b"\r\nhost: a\r\nconnection: close\r\n\r\n"
        bare, instrumented = (raw(client, request) for client in twins)

        assert _plain(bare) == _plain(instrumented)

    @pytest.mark.parametrize(
        "host",
        [
            b"",
            b"a:b",
            b"\xff",
            pytest.param(
                b"a\xff\\x",
                marks=pytest.mark.xfail(strict=True, reason="contrib decodes headers as UTF-8"),
            ),
        ],
    )
    def test_host(self, web: Web, serving: Serving, raw: Raw, host: bytes) -> None:
        """So it is for the host, which is nowhere in what is counted."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            answer = raw(client, b"GET / HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n" % host)
            assert 200 == client.get("/metrics").status_code

        assert answer.startswith(b"HTTP/1.1 200")
        assert [("GET", "/", "200", "")] == web.samples()


def _plain(answer: bytes) -> list[bytes]:
    """An answer without the time, and without what telemetry adds."""
    ours = (b"date:", b"x-request-id:", b"traceresponse:")
    return [line for line in answer.split(b"\r\n") if not line.lower().startswith(ours)]


class TestWebSocket:
    def test_works(self, web: Web, serving: Serving) -> None:
        """A WebSocket works, and its lines have an id; it is no request that was answered."""

        @web.app.websocket("/echo/{name}")
        async def echo(connection: WebSocket, name: str) -> None:
            await connection.accept()
            structlog.get_logger("shop").info("joined", who=name)
            await connection.send_text(await connection.receive_text())
            await connection.close()

        with serving(web.app) as client:
            url = f"ws://127.0.0.1:{client.base_url.port}/echo/me"
            with connect(url, additional_headers={"x-request-id": "chat-7"}) as connection:
                connection.send("hello")
                heard = connection.recv()
        (line,) = [line for line in web.captured.logs() if line["event"] == "joined"]

        assert ("hello", "chat-7") == (heard, line["request_id"])
        assert ([], 0.0) == (web.samples(), web.active())
        assert 1 == len(web.server_spans())
