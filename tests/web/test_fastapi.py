from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_meta import instrument_fastapi
from otel_meta.errors import InstrumentationError, MissingExtra
from otel_meta.testing import CapturedTelemetry, OtlpSink

if TYPE_CHECKING:
    from tests.conftest import Eventually, Service, Serving

# FastAPI's own telemetry is on as soon as the process has providers, as it does here.
SHOP = """
from fastapi import APIRouter, FastAPI

import otel_meta

app = FastAPI()
telemetry = otel_meta.instrument_fastapi(app)


async def sell(item: str) -> str:
    return item


app.get("/items/{item}")(sell)
router = APIRouter()
router.get("/items/{item}")(sell)
app.include_router(router, prefix="/v1")
sub = FastAPI()
sub.get("/items/{item}")(sell)
app.mount("/sub", sub)


@app.get("/fail")
async def fail() -> None:
    raise RuntimeError("out of stock")
"""


class TestOnce:
    def test_telemetry(self, captured_telemetry: CapturedTelemetry) -> None:
        """The telemetry that was given is returned."""
        telemetry = captured_telemetry.telemetry

        assert telemetry is instrument_fastapi(FastAPI(), telemetry)

    def test_twice(self, captured_telemetry: CapturedTelemetry, serving: Serving) -> None:
        """Twice is an error, and the first time stays as it was."""
        app = FastAPI()
        app.get("/")(lambda: "")
        instrument_fastapi(app, captured_telemetry.telemetry)

        with pytest.raises(InstrumentationError, match=r"already; call instrument_fastapi\("):
            instrument_fastapi(app, captured_telemetry.telemetry)
        with serving(app) as client:
            client.get("/")
        assert 1 == len(captured_telemetry.spans())

    def test_two(self, captured_telemetry: CapturedTelemetry) -> None:
        """Two applications of a process may both be."""
        instrument_fastapi(FastAPI(), captured_telemetry.telemetry)
        instrument_fastapi(FastAPI(), captured_telemetry.telemetry)

    def test_serving(self, captured_telemetry: CapturedTelemetry, serving: Serving) -> None:
        """An application that has answered is too late."""
        app = FastAPI()
        with serving(app) as client:
            client.get("/")

            with pytest.raises(InstrumentationError, match=r"serves already.*right after it is"):
                instrument_fastapi(app, captured_telemetry.telemetry)

    def test_lifespan(self, captured_telemetry: CapturedTelemetry, serving: Serving) -> None:
        """So is one that starts."""
        errors: list[Exception] = []

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            try:
                instrument_fastapi(app, captured_telemetry.telemetry)
            except InstrumentationError as error:
                errors.append(error)
            yield

        with serving(FastAPI(lifespan=lifespan)):
            pass

        assert "not in its lifespan" in str(errors[0])

    def test_contrib(self, captured_telemetry: CapturedTelemetry) -> None:
        """One that contrib has instrumented would have two spans a request."""
        app = FastAPI()
        FastAPIInstrumentor.instrument_app(app)

        with pytest.raises(InstrumentationError, match="has instrumented this app already; call"):
            instrument_fastapi(app, captured_telemetry.telemetry)

    def test_missing(
        self, captured_telemetry: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without contrib's package, the message says what to install."""
        monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.fastapi", None)

        with pytest.raises(MissingExtra, match=r"pip install 'otel_meta\[fastapi\]'"):
            instrument_fastapi(FastAPI(), captured_telemetry.telemetry)


@pytest.fixture(scope="module")
def shop(service: Callable[..., Service]) -> Iterator[tuple[Service, OtlpSink]]:
    """An application whose spans are received as they end."""
    with OtlpSink() as sink:
        yield (
            service(
                SHOP,
                OTEL_SERVICE_NAME="shop",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
                OTEL_METRICS_EXPORTER="prometheus",
                OTEL_EXPORTER_PROMETHEUS_PORT="0",
                OTEL_BSP_SCHEDULE_DELAY="50",
            ),
            sink,
        )


def counts_in(text: str) -> dict[str, float]:
    """Requests that have been counted, by route; every series of that name."""
    counts: dict[str, float] = {}
    for family in parse(text):
        for sample in family.samples:
            if sample.name == "http_server_request_duration_seconds_count":
                route = sample.labels.get("http_route", "")
                counts[route] = counts.get(route, 0) + sample.value
    return counts


class TestNative:
    @pytest.mark.parametrize(
        ("path", "route"),
        [
            ("/items/7", "/items/{item}"),
            ("/v1/items/7", "/v1/items/{item}"),
            ("/sub/items/7", "/sub/items/{item}"),
            ("/fail", "/fail"),
            ("/nowhere", ""),
        ],
    )
    def test_one(
        self, shop: tuple[Service, OtlpSink], eventually: Eventually, path: str, route: str
    ) -> None:
        """Beside FastAPI's own telemetry, a request is one server span and one sample."""
        service, sink = shop
        before = counts_in(service.get("/metrics").text)
        trace_id = service.get(path).headers["traceresponse"].split("-")[1]

        def servers() -> list[str]:
            spans = [each.span for each in sink.spans() if each.span.trace_id.hex() == trace_id]
            return [span.name for span in spans if span.kind == Span.SPAN_KIND_SERVER]

        eventually(servers)
        after = counts_in(service.get("/metrics").text)

        assert 1 == len(servers())
        assert {route: 1.0} == {
            each: after[each] - before.get(each, 0)
            for each in after
            if after[each] != before.get(each)
        }

    def test_active(self, shop: tuple[Service, OtlpSink]) -> None:
        """Nor are there two gauges of active requests."""
        text = shop[0].get("/metrics").text

        assert 1 == text.count("\nhttp_server_active_requests{")
