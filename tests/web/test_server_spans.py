from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.trace import StatusCode

from otel_meta import instrument_fastapi
from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Eventually, Service, Serving
    from tests.web.conftest import Web


SHOP = """
from fastapi import FastAPI

import otel_meta

app = FastAPI()
otel_meta.instrument_fastapi(app)
app.get("/")(lambda: "sold")
"""


class TestSpans:
    def test_messages_of_request_and_response_have_no_spans(
        self, web: Web, serving: Serving
    ) -> None:
        """Messages of the request and the response have no spans."""
        web.app.post("/")(lambda: StreamingResponse(iter([b"a", b"b", b"c"])))
        with serving(web.app) as client:
            client.post("/", content=b"x" * 100_000)

        assert 1 == len(web.captured.spans())

    def test_attributes_of_spans_follow_stable_conventions(
        self, web: Web, serving: Serving
    ) -> None:
        """Attributes of spans follow the stable conventions."""
        web.app.get("/items/{name}")(lambda name: name)
        with serving(web.app) as client:
            client.get("/items/7")
        attributes = web.server_spans()[0].attributes

        assert {
            "http.request.method": "GET",
            "http.route": "/items/{name}",
            "http.response.status_code": 200,
            "url.path": "/items/7",
            "url.scheme": "http",
        }.items() <= dict(attributes).items()
        assert "http.method" not in attributes
        assert "http" in os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"].split(",")

    def test_span_does_not_contain_values_of_query_string(self, web: Web, serving: Serving) -> None:
        """A span does not contain the values of the query string."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            client.get("/?token=hunter2&password=hunter2")

        assert "hunter2" not in str(dict(web.server_spans()[0].attributes))

    def test_span_in_old_and_stable_conventions_does_not_contain_values(
        self, service: Callable[..., Service], eventually: Eventually
    ) -> None:
        """A span in old and stable conventions does not contain the values of the query string."""
        with OtlpReceiver() as receiver:
            shop = service(
                SHOP,
                OTEL_SERVICE_NAME="shop",
                OTEL_SEMCONV_STABILITY_OPT_IN="http/dup",
                OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
                OTEL_BSP_SCHEDULE_DELAY="50",
            )
            shop.get("/?token=hunter2&password=hunter2")
            eventually(receiver.spans)
            (received,) = receiver.spans()
            shop.stop()

        assert "http.url" in str(received.span)
        assert "hunter2" not in str(received.span)

    def test_exception_sets_spans_status_to_error_and_is_recorded_once(
        self, web: Web, serving: Serving
    ) -> None:
        """An exception sets the span's status to error, and is recorded once."""
        web.app.get("/")(lambda: 1 / 0)
        with serving(web.app) as client:
            client.get("/")
        (span,) = web.server_spans()

        assert StatusCode.ERROR is span.status.status_code
        assert ["ZeroDivisionError"] == [e.attributes["exception.type"] for e in span.events]

    @pytest.mark.parametrize("path", ["/items/healthz", "/slow", "/healthz/x"])
    def test_path_that_contains_name_of_endpoint_has_its_span(
        self, web: Web, serving: Serving, path: str
    ) -> None:
        """A path that contains the name of an endpoint has its span."""
        web.app.get("/{path:path}")(lambda path: path)
        with serving(web.app) as client:
            client.get(path)
            client.get(path, headers={"host": "healthz.example.com"})

        assert 2 == len(web.server_spans())


class TestMetrics:
    def test_contribs_instrumentation_records_no_metrics(self, web: Web, serving: Serving) -> None:
        """Contrib's instrumentation records no metrics."""
        web.app.get("/")(lambda: "")
        with serving(web.app) as client:
            client.get("/")
            text = client.get("/metrics").text

        assert {
            "http_server_request_duration_seconds",
            "http_server_active_requests",
        } == {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE http_")}


class TestNoTraces:
    def test_requests_are_served_without_traces_and_contribs_instrumentation(
        self, serving: Serving
    ) -> None:
        """Requests are served without traces, and contrib's instrumentation is not used."""
        with capture(environ={"OTEL_SDK_DISABLED": "true"}) as captured:
            app = FastAPI()
            app.get("/")(lambda: "sold")
            instrument_fastapi(app, captured.telemetry)
            with serving(app) as client:
                answer = client.get("/")

        assert 200 == answer.status_code
        assert not captured.spans()
        assert not hasattr(app, "_is_instrumented_by_opentelemetry")

    def test_traces_without_exporter_have_ids(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """Traces without an exporter have ids."""
        app = FastAPI()
        app.get("/")(lambda: "sold")
        instrument_fastapi(app, captured_telemetry.telemetry)
        with serving(app) as client:
            assert "traceresponse" in client.get("/").headers
