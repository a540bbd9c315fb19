from __future__ import annotations

import gc
import json
import logging
from collections.abc import Iterator
from typing import Any
from weakref import ref

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from otel_meta import instrument_fastapi
from otel_meta.distro import first_build
from otel_meta.distro.instrumentor import MetaInstrumentor
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import CapturedTelemetry, capture
from tests.conftest import serve


@pytest.fixture
def instrumentor() -> Iterator[MetaInstrumentor]:
    """The instrumentor, active until the end of the test."""
    instrumentor = MetaInstrumentor()
    instrumentor.instrument()
    yield instrumentor
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@pytest.fixture
def captured(
    instrumentor: MetaInstrumentor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CapturedTelemetry]:
    """Captured telemetry, which the instrumentor uses for each application."""
    with capture() as captured:
        monkeypatch.setattr(first_build, "start_telemetry", lambda: captured.telemetry)
        yield captured


def requests(captured: CapturedTelemetry) -> int:
    """Return the number of recorded requests."""
    family = captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
    return sum(sum(cell.snapshot()[0]) for cell in family.cells())


def get(app: FastAPI) -> int:
    """Serve an application for one request, and return the status of the response."""
    with serve(app) as client:
        return client.get("/").status_code


async def answer(_request: object = None) -> PlainTextResponse:
    """Answer any request."""
    return PlainTextResponse("answer")


def fastapi_app(kind: type[FastAPI] = FastAPI) -> FastAPI:
    """Return an application with a route."""
    app = kind(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.add_route("/", answer)
    return app


class TestServing:
    @pytest.mark.parametrize(
        "create", [fastapi_app, lambda: Starlette(routes=[Route("/", answer)])]
    )
    def test_application_is_instrumented(self, captured: CapturedTelemetry, create: Any) -> None:
        """An application of FastAPI or Starlette is instrumented when it serves."""
        with serve(create()) as client:
            client.get("/")
            client.get("/")
            status = client.get("/slo").status_code

        assert (2, 200) == (requests(captured), status)

    def test_application_that_does_not_serve_stays_as_it_is(
        self, captured: CapturedTelemetry
    ) -> None:
        """A script that prints the schema of an API instruments nothing."""
        app = fastapi_app()
        json.dumps(app.openapi())

        assert app.middleware_stack is None
        assert "_is_instrumented_by_otel_meta" not in vars(app)

    def test_own_instrumentation_has_precedence(
        self, captured: CapturedTelemetry, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An application that its own code instruments is not instrumented again."""
        app = fastapi_app()
        with capture() as own, caplog.at_level(logging.INFO, "otel_meta"):
            instrument_fastapi(app, own.telemetry)
            get(app)

            assert (1, 0, 0) == (requests(own), requests(captured), caplog.text.count("instrument"))

    def test_telemetry_is_outermost_for_class_with_own_stack(
        self, captured: CapturedTelemetry
    ) -> None:
        """A class that builds its own stack is instrumented around this stack, once."""

        class Shop(FastAPI):
            def build_middleware_stack(self) -> Any:
                return CORSMiddleware(super().build_middleware_stack(), allow_origins=["*"])

        headers = {"origin": "https://shop.example", "access-control-request-method": "GET"}
        with serve(fastapi_app(Shop)) as client:
            preflight = client.options("/", headers=headers)

        assert (200, 1) == (preflight.status_code, requests(captured))

    def test_application_serves_if_it_cannot_be_instrumented(
        self,
        captured: CapturedTelemetry,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """An error of the instrumentation is one line, and the application serves."""

        def fail(_app: object, _telemetry: Telemetry) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(first_build, "instrument_fastapi", fail)
        with caplog.at_level(logging.ERROR, "otel_meta"):
            status = get(fastapi_app())

        assert (200, ["this application is not instrumented: broken"]) == (status, caplog.messages)

    def test_application_serves_without_telemetry(
        self, instrumentor: MetaInstrumentor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An application serves if telemetry has not started."""
        monkeypatch.setattr(first_build, "start_telemetry", lambda: None)

        with serve(fastapi_app()) as client:
            answers = client.get("/"), client.get("/healthz")

        assert [200, 404] == [each.status_code for each in answers]


class TestUninstrument:
    def test_classes_are_restored(self, instrumentor: MetaInstrumentor) -> None:
        """After the uninstrumentation, the constructors are those of the frameworks."""
        changed = FastAPI.__init__, Starlette.__init__
        instrumentor.uninstrument()
        restored = FastAPI.__init__, Starlette.__init__

        assert {True} == {hasattr(each, "__wrapped__") for each in changed}
        assert {False} == {hasattr(each, "__wrapped__") for each in restored}

    def test_waiting_application_is_left_alone(
        self, instrumentor: MetaInstrumentor, captured: CapturedTelemetry
    ) -> None:
        """An application that does not serve yet is not instrumented any more."""
        app = fastapi_app()
        instrumentor.uninstrument()
        get(app)

        assert (0, False) == (requests(captured), "build_middleware_stack" in vars(app))

    def test_serving_application_is_restored(
        self, instrumentor: MetaInstrumentor, captured: CapturedTelemetry
    ) -> None:
        """An application that serves is not recorded any more."""
        with serve(fastapi_app()) as client:
            client.get("/")
            instrumentor.uninstrument()
            answers = client.get("/"), client.get("/healthz")

        assert ([200, 404], 1) == ([each.status_code for each in answers], requests(captured))

    def test_instrumentor_keeps_no_application(self, captured: CapturedTelemetry) -> None:
        """The instrumentor keeps no application alive, whether it has served or not."""
        served, waiting = fastapi_app(), fastapi_app()
        get(served)
        kept = ref(served), ref(waiting)
        del served, waiting
        gc.collect()

        assert [None, None] == [each() for each in kept]
