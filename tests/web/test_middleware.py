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
    """An exception class of the application."""


class MaintenanceMiddleware:
    """A middleware that responds itself to one path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, or call the application."""
        response = PlainTextResponse("closed", 503) if scope["path"] == "/closed" else self.app
        await response(scope, receive, send)


class TestRecordedRequests:
    def test_request_has_one_sample_and_one_server_span(self, web: Web, serving: Serving) -> None:
        """A request has one sample and one server span."""
        web.app.get("/items/{name}")(lambda name: name)
        with serving(web.app) as client:
            client.get("/items/7")

        assert [("GET", "/items/{name}", "200", "")] == web.samples()
        assert ["GET /items/{name}"] == [span.name for span in web.captured.spans()]
        assert 1 == len(web.server_spans())

    def test_labels_of_exposed_series_follow_conventions(self, web: Web, serving: Serving) -> None:
        """The labels of the exposed series follow the conventions."""
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
    def test_method_is_label(self, web: Web, serving: Serving, method: str) -> None:
        """The method is a label."""
        web.app.api_route("/", methods=[method])(lambda: "")
        with serving(web.app) as client:
            client.request(method, "/")

        assert [(method, "/", "200", "")] == web.samples()

    def test_unknown_methods_share_one_label_value_and_are_no_fault(
        self, web: Web, serving: Serving
    ) -> None:
        """Unknown methods share one label value, and are no fault."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            for number in range(3):
                client.request(f"EVIL{number}", "/")

        assert [("_OTHER", "/", "405", "")] * 3 == web.samples()
        assert 0 == web.captured.telemetry.faults.count()

    def test_unknown_paths_share_one_series_without_path(self, web: Web, serving: Serving) -> None:
        """Unknown paths share one series without a path."""
        with serving(web.app) as client:
            for number in range(3):
                client.get(f"/nowhere/{number}")

        assert [("GET", "", "404", "")] * 3 == web.samples()
        assert {"GET"} == {span.name for span in web.captured.spans()}

    def test_response_of_middleware_that_was_added_later_is_counted(
        self, web: Web, serving: Serving
    ) -> None:
        """The response of a middleware that was added later is counted."""
        web.app.add_middleware(MaintenanceMiddleware)
        with serving(web.app) as client:
            client.get("/closed")

        assert [("GET", "", "503", "503")] == web.samples()

    def test_request_is_active_until_its_end(self, web: Web, serving: Serving) -> None:
        """A request is active until its end."""
        seen: list[float] = []
        web.app.get("/")(lambda: seen.append(web.active()))
        web.app.get("/fail")(lambda: 1 / 0)
        with serving(web.app) as client:
            client.get("/")
            client.get("/fail")

        assert ([1.0], 0.0) == (seen, web.active())


class TestErrors:
    def test_exception_in_handler_is_status_500_with_its_class(
        self, web: Web, serving: Serving
    ) -> None:
        """An exception in a handler is status 500 with its class as error type."""

        @web.app.get("/")
        async def fail() -> None:
            raise ShopError

        with serving(web.app) as client:
            response = client.get("/")

        assert 500 == response.status_code
        assert {"x-request-id", "server-timing"} <= set(response.headers)
        assert [("GET", "/", "500", f"{__name__}.ShopError")] == web.samples()
        assert "ERROR" == web.server_spans()[0].status.status_code.name

    def test_exception_in_dependency_is_status_500_with_its_class(
        self, web: Web, serving: Serving
    ) -> None:
        """An exception in a dependency is status 500 with its class as error type."""

        def fail() -> None:
            raise RuntimeError

        web.app.get("/", dependencies=[Depends(fail)])(lambda: "")
        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", "500", "RuntimeError")] == web.samples()

    @pytest.mark.parametrize(("status", "error"), [(403, ""), (500, "500"), (503, "503")])
    def test_httpexception_is_error_from_status_500(
        self, web: Web, serving: Serving, status: int, error: str
    ) -> None:
        """An HTTPException is an error from status 500 on."""

        @web.app.get("/")
        async def refuse() -> None:
            raise HTTPException(status)

        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", str(status), error)] == web.samples()

    def test_exception_handled_by_application_is_no_error(self, web: Web, serving: Serving) -> None:
        """An exception handled by the application is no error."""

        @web.app.exception_handler(ShopError)
        async def handle(_request: Request, _error: Exception) -> Response:
            return PlainTextResponse("sold out", 409)

        @web.app.get("/")
        async def fail() -> None:
            raise ShopError

        with serving(web.app) as client:
            client.get("/")

        assert [("GET", "/", "409", "")] == web.samples()

    def test_validation_error_is_no_error_of_server(self, web: Web, serving: Serving) -> None:
        """A validation error is no error of the server."""

        @web.app.get("/items/{number}")
        async def item(number: int) -> int:
            return number

        with serving(web.app) as client:
            client.get("/items/x")

        assert [("GET", "/items/{number}", "422", "")] == web.samples()

    def test_stream_that_fails_before_its_end_keeps_its_status(
        self, web: Web, serving: Serving
    ) -> None:
        """A stream that fails before its end keeps its status, and is an error."""

        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise ShopError

        web.app.get("/")(lambda: StreamingResponse(chunks()))
        with serving(web.app) as client, pytest.raises(httpx.RemoteProtocolError):
            client.get("/")

        assert [("GET", "/", "200", f"{__name__}.ShopError")] == web.samples()

    def test_exception_of_dependency_after_response_is_not_error_of_response(
        self, web: Web, serving: Serving
    ) -> None:
        """An exception of a dependency after the response is not an error of the response."""

        async def session() -> AsyncIterator[None]:
            yield
            raise ShopError

        web.app.get("/", dependencies=[Depends(session, scope="request")])(lambda: "")
        with serving(web.app) as client:
            assert 200 == client.get("/").status_code

        assert [("GET", "/", "200", "")] == web.samples()


class TestDuration:
    def test_request_ends_with_its_last_byte_before_its_background_tasks(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """A request ends with its last byte, before its background tasks."""
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

    def test_failed_background_task_is_not_error_of_request(
        self, web: Web, serving: Serving
    ) -> None:
        """A failed background task is not an error of the request."""

        @web.app.get("/")
        async def answer(tasks: BackgroundTasks) -> str:
            tasks.add_task(lambda: 1 / 0)
            return "done"

        with serving(web.app) as client:
            assert 200 == client.get("/").status_code

        assert [("GET", "/", "200", "")] == web.samples()

    def test_stream_ends_with_its_last_chunk(self, web: Web, serving: Serving) -> None:
        """A stream ends with its last chunk."""
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
    def test_client_that_closes_during_stream_is_no_error(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """A client that closes during a stream is no error."""

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

    def test_client_that_closes_during_its_upload_is_no_error(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """A client that closes during its upload is no error."""

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

    def test_client_that_closes_before_response_is_no_error(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """A client that closes before the response is no error."""
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

    def test_request_cancelled_by_shutdown_has_no_status_and_no_error(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """A request cancelled by the shutdown has no status and no error."""
        web.app.get("/")(_never)
        with (
            serving(web.app, timeout_graceful_shutdown=0.1) as client,
            socket.create_connection((client.base_url.host, client.base_url.port or 0)) as asking,
        ):
            asking.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            eventually(lambda: web.active() == 1)

        assert [("GET", "/", "", "")] == web.samples()
        assert 0.0 == web.active()


async def _never() -> None:
    await asyncio.Event().wait()


class TestIds:
    def test_callers_request_id_is_in_response_and_in_log_lines(
        self, web: Web, serving: Serving
    ) -> None:
        """The caller's request id is in the response and in the log lines of the request."""
        web.app.get("/")(lambda: structlog.get_logger("shop").info("sold"))
        with serving(web.app) as client:
            response = client.get("/", headers={"x-request-id": "order-7"})
        (line,) = [line for line in web.captured.logs() if line["event"] == "sold"]

        assert "order-7" == response.headers["x-request-id"] == line["request_id"]

    @pytest.mark.parametrize("unsafe", [b"a b", b'"}', b"\xff", b"a" * 129, b"<script>"])
    def test_unsafe_request_id_is_replaced_by_new_one(
        self, web: Web, serving: Serving, raw: Raw, unsafe: bytes
    ) -> None:
        """An unsafe request id is replaced by a new one."""
        with serving(web.app) as client:
            response = raw(
                client,
                b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-request-id: "
                + unsafe
                + b"\r\n\r\n",
            )

        assert re.search(rb"\r\nx-request-id: [0-9a-f]{32}\r\n", response)

    def test_each_request_without_id_gets_new_one(self, web: Web, serving: Serving) -> None:
        """Each request without an id gets a new one."""
        with serving(web.app) as client:
            ids = {client.get("/").headers["x-request-id"] for _ in range(3)}

        assert 3 == len(ids)

    def test_request_id_set_by_application_is_sent_once(self, web: Web, serving: Serving) -> None:
        """A request id set by the application is sent once."""

        @web.app.get("/")
        async def answer(response: Response) -> None:
            response.headers["x-request-id"] = "its-own"

        with serving(web.app) as client:
            ids = client.get("/").headers.get_list("x-request-id")

        assert ["its-own"] == ids

    def test_server_timing_header_has_ids_of_server_span(self, web: Web, serving: Serving) -> None:
        """The header server-timing has the ids of the server span."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            response = client.get("/")
        context = web.server_spans()[0].context

        assert response.headers["server-timing"].startswith(
            f"trace;desc=00-{context.trace_id:032x}-{context.span_id:016x}-"
        )

    @pytest.mark.parametrize(("flags", "spans"), [("00", 0), ("01", 1)])
    def test_trace_continues_with_its_sampling_decision(
        self, web: Web, serving: Serving, flags: str, spans: int
    ) -> None:
        """A trace continues with its sampling decision; unsampled requests are counted."""
        web.app.get("/")(lambda: "")
        trace_id = "0123456789abcdef0123456789abcdef"
        with serving(web.app) as client:
            headers = {"traceparent": f"00-{trace_id}-0123456789abcdef-{flags}"}
            response = client.get("/", headers=headers)

        assert response.headers["server-timing"].startswith(f"trace;desc=00-{trace_id}-")
        assert response.headers["server-timing"].endswith(f"-{flags}")
        assert (spans, 1) == (len(web.server_spans()), len(web.samples()))

    @pytest.mark.parametrize(
        "bad",
        ["", "00", "00-0-0-0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "zz" * 40, "\xff"],
    )
    def test_invalid_traceparent_starts_new_trace(
        self, web: Web, serving: Serving, bad: str
    ) -> None:
        """An invalid traceparent starts a new trace."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            response = client.get("/", headers=[(b"traceparent", bad.encode("latin-1"))])

        assert 200 == response.status_code
        assert web.server_spans()[0].parent is None

    def test_two_hundred_concurrent_requests_each_keep_their_own_ids(
        self, web: Web, serving: Serving
    ) -> None:
        """Two hundred concurrent requests each keep their own ids."""

        @web.app.get("/async")
        async def in_loop() -> dict[str, Any]:
            before = dict(structlog.contextvars.get_contextvars())
            structlog.contextvars.bind_contextvars(order=before["request_id"])
            await asyncio.sleep(0.05)
            return dict(structlog.contextvars.get_contextvars())

        @web.app.get("/sync")
        def in_thread() -> dict[str, Any]:
            return dict(structlog.contextvars.get_contextvars())

        async def request_all(url: httpx.URL) -> list[httpx.Response]:
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
            responses = asyncio.run(request_all(client.base_url))

        assert [f"order-{n}" for n in range(200)] == [a.json()["request_id"] for a in responses]
        assert [f"order-{n}" for n in range(200)] == [a.headers["x-request-id"] for a in responses]
        assert [] == [
            a for a in responses if a.json().get("order") not in {None, a.json()["request_id"]}
        ]
        assert 200 == len({a.headers["server-timing"] for a in responses})
        assert (200, 0.0) == (len(web.samples()), web.active())


Twins = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def twins(serving: Serving) -> Iterator[Twins]:
    """Clients of the same application without and with telemetry."""
    with capture() as captured:
        bare, instrumented = FastAPI(), FastAPI()
        instrument_fastapi(instrumented, captured.telemetry)
        for app in (bare, instrumented):
            app.get("/items/{name}")(lambda name: name)
            app.get("/fail")(lambda: 1 / 0)
        with serving(bare) as one, serving(instrumented) as other:
            yield one, other


class TestSameResponse:
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
            b"GET /items/7 HTTP/1.1\r\nuser-agent: \xff\\x",
            b"GET /items/7 HTTP/1.1\r\nreferer: \xff\xfe",
            b"GET /items/7 HTTP/1.1\r\ntraceparent: \xff",
            b"GET /items/7 HTTP/1.1\r\nbaggage: " + b"a=b," * 10_000,
            b"GET /items/7 HTTP/1.1\r\ntracestate: " + b",".join(b"a%d=b" % n for n in range(600)),
            b"GET /items/7 HTTP/1.1\r\nx-forwarded-for: \xff",
        ],
        ids=lambda line: line[:50].decode("latin-1"),
    )
    def test_any_bytes_get_same_response_as_without_telemetry(
        self, twins: Twins, raw: Raw, request_line: bytes
    ) -> None:
        """Any bytes get the same response as without telemetry."""
        request = request_line + b"\r\nhost: a\r\nconnection: close\r\n\r\n"
        bare, instrumented = (raw(client, request) for client in twins)

        assert _without_telemetry(bare) == _without_telemetry(instrumented)

    @pytest.mark.parametrize(
        "host",
        [
            b"",
            b"a:b",
            b"\xff",
            b"a\xff\\x",
        ],
    )
    def test_any_host_header_is_accepted_and_is_not_in_label(
        self, web: Web, serving: Serving, raw: Raw, host: bytes
    ) -> None:
        """Any Host header is accepted, and is not in a label."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            response = raw(
                client, b"GET / HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n" % host
            )
            assert 200 == client.get("/metrics").status_code

        assert response.startswith(b"HTTP/1.1 200")
        assert [("GET", "/", "200", "")] == web.samples()


def _without_telemetry(response: bytes) -> list[bytes]:
    """Return the lines of a response without the date and the headers of telemetry."""
    added = (b"date:", b"x-request-id:", b"server-timing:")
    return [line for line in response.split(b"\r\n") if not line.lower().startswith(added)]


class TestWebSocket:
    def test_websocket_has_ids_in_its_log_lines_span(self, web: Web, serving: Serving) -> None:
        """A WebSocket has ids in its log lines, a span and no sample."""

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
                received = connection.recv()
        (line,) = [line for line in web.captured.logs() if line["event"] == "joined"]

        assert ("hello", "chat-7") == (received, line["request_id"])
        assert ([], 0.0) == (web.samples(), web.active())
        assert 1 == len(web.server_spans())
