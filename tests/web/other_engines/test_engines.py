from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider
from starlette.requests import Request

from otel_meta import instrument_fastapi, uninstrument_fastapi
from otel_meta.errors import ConfigurationError
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import CapturedTelemetry, capture
from otel_meta.web.engine.engine_options import EngineName
from tests.waiting import poll
from tests.web.conftest import send_raw
from tests.web.frameworks.routing import request

if TYPE_CHECKING:
    from tests.conftest import Serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _application(provider: TracerProvider | None = None) -> FastAPI:
    app = FastAPI(telemetry={"operation_spans": False})
    tracer = trace.get_tracer("shop", tracer_provider=provider)

    @app.get("/items/{name}")
    async def item(name: str) -> PlainTextResponse:
        with tracer.start_as_current_span("look up"):
            return PlainTextResponse(name)

    @app.get("/partial")
    async def partial() -> str:
        span = trace.get_current_span()
        span.record_exception(KeyError("one item"))
        span.add_event("sold", {"items": 2})
        span.set_attributes({"shop.items": 2})
        span.set_status(StatusCode.ERROR, "one item was out of stock")
        return ""

    @app.get("/fail")
    async def fail() -> None:
        raise KeyError("out of stock")

    @app.get("/broken")
    async def broken() -> StreamingResponse:
        def chunks() -> Iterator[bytes]:
            yield b"a"
            raise KeyError("out of stock")

        return StreamingResponse(chunks())

    @app.get("/headers")
    @app.get("/echo")
    async def headers(request: Request) -> PlainTextResponse:
        return PlainTextResponse(repr(request.headers.raw))

    sub = FastAPI()
    sub.get("/items/{name}")(item)
    app.mount("/sub/{tenant}", sub)
    return app


def _hook(span: Span, _scope: Any) -> None:
    span.set_attribute("shop.hook", "called")


class Shop:
    """An application with one of the engines, and what is recorded."""

    def __init__(self, captured: CapturedTelemetry, client: httpx.Client) -> None:
        self.client = client
        self._captured = captured

    def server_spans(self) -> list[Any]:
        """Return the server spans."""
        return [span for span in self._captured.spans() if span.kind is SpanKind.SERVER]

    def recorded(self) -> tuple[Any, Any]:
        """Return the one server span and the cell of the one duration."""
        poll(lambda: self.server_spans() and self.samples())
        (span,), (cell,) = self.server_spans(), self.samples()
        return span, cell

    def log_events(self) -> list[str]:
        """Return the events of all log lines."""
        return [line["event"] for line in self._captured.logs()]

    def spans(self) -> list[Any]:
        """Return all spans."""
        return list(self._captured.spans())

    def samples(self) -> list[Any]:
        """Return the cell of each recorded duration."""
        family = self._captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
        return [cell for cell in family.cells() for _ in range(sum(cell.snapshot()[0]))]


@pytest.fixture(params=["meta", "contrib", "native"])
def shop(request: pytest.FixtureRequest, serving: Serving) -> Iterator[Shop]:
    """An application with each of the engines."""
    with capture() as captured:
        traces = captured.telemetry.traces
        app = _application(traces.provider if traces else None)
        instrument_fastapi(
            app, captured.telemetry, engine=request.param, exclude=["/headers"], request_hook=_hook
        )
        with serving(app) as client:
            yield Shop(captured, client)


class TestEveryEngine:
    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/items/7", "GET /items/{name}"),
            ("/sub/7/items/7", "GET /sub/{tenant}/items/{name}"),
            ("/a7/b7", "GET"),
        ],
    )
    def test_request_has_one_server_span_with_route(self, shop: Shop, path: str, name: str) -> None:
        """A request has one server span, which is named by its route, and one sample."""
        shop.client.get(path)

        assert name == shop.recorded()[0].name

    def test_span_continues_trace_of_caller_and_children_continue_span(self, shop: Shop) -> None:
        """The span continues the trace of the caller, and other spans are its children."""
        answer = shop.client.get("/items/7", headers={"traceparent": PARENT})
        span, _ = shop.recorded()
        (child,) = [each for each in shop.spans() if each.name == "look up"]
        ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"

        assert (PARENT[3:35], PARENT[36:52]) == (
            f"{span.context.trace_id:032x}",
            f"{span.parent.span_id:016x}",
        )
        assert span.context.trace_id == child.context.trace_id
        assert f"trace;desc=00-{ids}-01" == answer.headers["server-timing"]
        assert "called" == span.attributes["shop.hook"]

    @pytest.mark.parametrize(("path", "status"), [("/fail", "500"), ("/broken", "200")])
    def test_exception_is_recorded_once_and_equal_on_span_and_metric(
        self, shop: Shop, path: str, status: str
    ) -> None:
        """An exception is recorded once; its class is equal on the span and the metric."""
        with suppress(httpx.HTTPError):
            shop.client.get(path)
        span, cell = shop.recorded()

        assert ["KeyError"] == [event.attributes["exception.type"] for event in span.events]
        assert not [event for event in shop.log_events() if "ended span" in event]
        assert (StatusCode.ERROR, "KeyError") == (
            span.status.status_code,
            span.attributes["error.type"],
        )
        assert ("server_error", int(status)) == (
            span.attributes["otel_meta.outcome"],
            span.attributes["http.response.status_code"],
        )
        assert {path, status, "KeyError"} <= set(cell.labels)

    def test_handler_describes_span(self, shop: Shop) -> None:
        """A handler describes the server span, which is the current span."""
        shop.client.get("/partial")
        span, _ = shop.recorded()

        assert ["exception", "sold"] == [event.name for event in span.events]
        assert 2 == span.attributes["shop.items"]
        assert "one item was out of stock" == span.status.description

    def test_duration_is_equal_on_span_and_metric(self, shop: Shop) -> None:
        """The duration is equal on the span and the metric."""
        shop.client.get("/items/7")
        span, cell = shop.recorded()

        assert (span.end_time - span.start_time) / 1e9 == pytest.approx(
            cell.snapshot()[1], abs=2e-6
        )

    def test_endpoints_and_excluded_paths_have_no_span(self, shop: Shop) -> None:
        """Endpoints and excluded paths have no span."""
        for path in ("/healthz", "/headers", "/metrics"):
            assert 200 == shop.client.get(path).status_code

        assert ([], []) == (shop.server_spans(), shop.samples())

    @pytest.mark.parametrize(
        "line",
        [
            b"user-agent: \xff\\x",
            b"referer: \xff\xfe",
            b"traceparent: \xff",
            b"x-forwarded-for: \xff",
        ],
    )
    def test_header_of_any_bytes_is_served_and_reaches_application(
        self, shop: Shop, line: bytes
    ) -> None:
        """Headers of any bytes reach the application, and the request is recorded."""
        answer = send_raw(
            shop.client,
            b"GET /echo?a=%%FF HTTP/1.1\r\nhost: a\\xff\r\n%b\r\nconnection: close\r\n\r\n" % line,
        )
        name, _, value = line.partition(b": ")

        assert answer.startswith(b"HTTP/1.1 200")
        assert repr((name.lower(), value)).encode() in answer
        shop.recorded()


class TestContrib:
    def test_names_of_headers_and_query_may_be_of_any_bytes(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Names of headers and a query that are not UTF-8 are served, and recorded."""
        app = _application()
        instrument_fastapi(app, captured_telemetry.telemetry, engine="contrib")

        assert 200 == request(app, "/echo", query_string=b"\xff=\xff", headers=[(b"\xe9", b"a")])[0]
        assert ["GET /echo"] == [span.name for span in captured_telemetry.spans()]

    def test_span_does_not_continue_span_of_request_before(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A span does not continue a span that is current in the server's context."""
        app = _application()
        instrument_fastapi(app, captured_telemetry.telemetry, engine="contrib")
        before = trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(1))
        with trace.use_span(trace.NonRecordingSpan(before)):
            request(app, "/items/7")
        (span,) = [each for each in captured_telemetry.spans() if each.name != "look up"]

        assert (SpanKind.SERVER, None) == (span.kind, span.parent)

    def test_missing_instrumentation_is_error_that_names_package(
        self, captured_telemetry: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If the instrumentation is not installed, the error names its package."""
        monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.asgi", None)

        with pytest.raises(ConfigurationError, match="pip install opentelemetry-instrumentation"):
            instrument_fastapi(FastAPI(), captured_telemetry.telemetry, engine="contrib")


class TestChoice:
    def test_variable_chooses_engine(self) -> None:
        """OTEL_META_ENGINE chooses the engine, unless the argument does."""
        with capture(environ={"OTEL_META_ENGINE": "native"}) as captured:
            app, other = FastAPI(), FastAPI()
            instrument_fastapi(app, captured.telemetry)
            instrument_fastapi(other, captured.telemetry, engine="meta")

        assert (True, False) == (app._telemetry["tracing"], other._telemetry["tracing"])

    def test_unknown_engine_is_refused(self, captured_telemetry: CapturedTelemetry) -> None:
        """An unknown engine is refused, with a list of the engines."""
        with pytest.raises(ConfigurationError, match="choose from meta, contrib, native"):
            instrument_fastapi(FastAPI(), captured_telemetry.telemetry, engine="own")  # type: ignore[arg-type]

    @pytest.mark.parametrize("engine", ["contrib", "native"])
    def test_application_is_as_before_after_uninstrumentation(
        self, captured_telemetry: CapturedTelemetry, engine: EngineName
    ) -> None:
        """After uninstrumentation, the application is as it was before."""
        app = _application()
        before = dict(vars(app)), dict(app._telemetry)
        instrument_fastapi(app, captured_telemetry.telemetry, engine=engine)
        request(app, "/items/7")
        uninstrument_fastapi(app)

        assert before == (dict(vars(app)), dict(app._telemetry))

    @pytest.mark.parametrize("engine", ["contrib", "native"])
    def test_without_traces_requests_are_served(self, engine: EngineName) -> None:
        """Without traces, requests are served with any engine."""
        with capture(environ={"OTEL_SDK_DISABLED": "true"}) as captured:
            app = _application()
            instrument_fastapi(app, captured.telemetry, engine=engine)

            assert 200 == request(app, "/items/7").status
