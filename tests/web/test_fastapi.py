from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_meta import configure, instrument_fastapi
from otel_meta.errors import ConfigurationError, InstrumentationError
from otel_meta.testing import CapturedTelemetry, OtlpReceiver

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


class TestInstrument:
    def test_telemetry_of_argument_is_returned(self, captured_telemetry: CapturedTelemetry) -> None:
        """The telemetry of the argument is returned."""
        telemetry = captured_telemetry.telemetry

        assert telemetry is instrument_fastapi(FastAPI(), telemetry)

    def test_application_of_job_is_refused(self) -> None:
        """An application is refused for a job, which sends its metrics and serves none."""
        with (
            configure("acme", set_global=False, log_stream=None, environ={}, job=True) as job,
            pytest.raises(ConfigurationError, match="job=True"),
        ):
            instrument_fastapi(FastAPI(), job)

    def test_second_call_is_error_and_first_instrumentation_stays(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """A second call is an error, and the first instrumentation stays."""
        app = FastAPI()
        app.get("/")(lambda: "")
        instrument_fastapi(app, captured_telemetry.telemetry)

        with pytest.raises(InstrumentationError, match=r"already; call instrument_fastapi\("):
            instrument_fastapi(app, captured_telemetry.telemetry)
        with serving(app) as client:
            client.get("/")
        assert 1 == len(captured_telemetry.spans())

    def test_two_applications_of_process_can_be_instrumented(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Two applications of a process can be instrumented."""
        instrument_fastapi(FastAPI(), captured_telemetry.telemetry)
        instrument_fastapi(FastAPI(), captured_telemetry.telemetry)

    def test_application_that_has_served_request_cannot_be_instrumented(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """An application that has served a request cannot be instrumented."""
        app = FastAPI()
        with serving(app) as client:
            client.get("/")

            with pytest.raises(InstrumentationError, match=r"serves already.*right after FastAPI"):
                instrument_fastapi(app, captured_telemetry.telemetry)

    def test_application_cannot_be_instrumented_in_its_lifespan(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """An application cannot be instrumented in its lifespan."""
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


@pytest.fixture(scope="module")
def shop(service: Callable[..., Service]) -> Iterator[tuple[Service, OtlpReceiver]]:
    """An application in a process of its own, and the receiver of its spans."""
    with OtlpReceiver() as receiver:
        yield (
            service(
                SHOP,
                OTEL_SERVICE_NAME="shop",
                OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
                OTEL_METRICS_EXPORTER="prometheus",
                OTEL_EXPORTER_PROMETHEUS_PORT="0",
                OTEL_BSP_SCHEDULE_DELAY="50",
            ),
            receiver,
        )


def request_counts(text: str) -> dict[str, float]:
    """Return the number of recorded requests by route."""
    counts: dict[str, float] = {}
    for family in parse(text):
        for sample in family.samples:
            if sample.name == "http_server_request_duration_seconds_count":
                route = sample.labels.get("http_route", "")
                counts[route] = counts.get(route, 0) + sample.value
    return counts


class TestNativeTelemetry:
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
    def test_with_fastapis_own_telemetry_request_has_one_server_span(
        self, shop: tuple[Service, OtlpReceiver], eventually: Eventually, path: str, route: str
    ) -> None:
        """With FastAPI's own telemetry, a request has one server span and one sample."""
        service, receiver = shop
        before = request_counts(service.get("/metrics").text)
        trace_id = service.get(path).headers["server-timing"].split("-")[1]

        def server_spans() -> list[str]:
            spans = [each.span for each in receiver.spans() if each.span.trace_id.hex() == trace_id]
            return [span.name for span in spans if span.kind == Span.SPAN_KIND_SERVER]

        eventually(server_spans)
        after = request_counts(service.get("/metrics").text)

        assert 1 == len(server_spans())
        assert {route: 1.0} == {
            each: after[each] - before.get(each, 0)
            for each in after
            if after[each] != before.get(each)
        }

    def test_there_is_one_series_of_active_requests(
        self, shop: tuple[Service, OtlpReceiver]
    ) -> None:
        """There is one series of active requests."""
        text = shop[0].get("/metrics").text

        assert 1 == text.count("\nhttp_server_active_requests{")
