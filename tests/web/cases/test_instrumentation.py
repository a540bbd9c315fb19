from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from otel_meta import instrument_fastapi, uninstrument_fastapi
from otel_meta.errors import InstrumentationError
from otel_meta.testing import capture

from .app import build
from .conftest import Instrument
from .driver import Request, ask
from .recorded import ACTIVE, DURATION, Recorded, Sample

EXCLUDED_URLS = ["OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS"]


class SubclassedMiddleware(OpenTelemetryMiddleware):
    """A subclass of contrib's middleware, which FastAPI does not recognise."""


def asked(recorded: Recorded, *targets: str) -> set[str]:
    """Send requests, and return the routes of the recorded samples."""
    for target in targets:
        recorded.ask(target)
    return {sample.route for sample in recorded.samples()}


class TestExclusion:
    def test_excluded_path_excludes_no_other_path(self, instrument: Instrument) -> None:
        """An excluded path excludes itself, and no path or host that contains it."""
        recorded = instrument(exclude=["/health"])
        recorded.ask(Request("/items/7", headers=[(b"host", b"health.example.com")]))

        assert {"/items/{item_id}", "/catch/healthy-food"} == asked(
            recorded, "/health", "/catch/healthy-food"
        )
        assert 2 == len(recorded.spans())

    @pytest.mark.parametrize("variable", EXCLUDED_URLS)
    def test_variables_of_contrib_exclude_paths(
        self, instrument: Instrument, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        """The variables of contrib exclude the paths that they name, and no other."""
        monkeypatch.setenv(variable, "health")
        recorded = instrument(settings={"environ": {variable: "health"}})

        assert {"/catch/healthy-food"} == asked(recorded, "/health", "/catch/healthy-food")
        assert 1 == len(recorded.spans())

    def test_excluded_request_has_no_child_spans(self, instrument: Instrument) -> None:
        """An excluded request has no child spans either."""
        app = build()
        recorded = instrument(app, exclude=["/checked"])
        traces = recorded.captured.telemetry.traces
        assert traces is not None
        tracer = traces.provider.get_tracer("shop")

        @app.get("/checked")
        async def check() -> None:
            with tracer.start_as_current_span("query"):
                pass

        response = recorded.ask("/checked")

        assert 200 == response.status
        assert () == recorded.captured.spans()


class TestOnce:
    def test_instrumentation_after_first_request_is_error(self, engine: str) -> None:
        """An instrumentation after the first request is an error, not a silent one."""
        app = build()
        ask(app, Request("/items/7"))

        with capture() as captured, pytest.raises(InstrumentationError, match="serves already"):
            Recorded(captured, app, engine)

    def test_second_instrumentation_leaves_one_span(self, recorded: Recorded) -> None:
        """A second instrumentation is an error, and leaves one span for each request."""
        with pytest.raises(InstrumentationError, match="instrumented already"):
            instrument_fastapi(recorded.app, recorded.captured.telemetry)
        recorded.ask("/items/7")

        assert 1 == len(recorded.spans())
        assert 1 == recorded.samples().total()

    def test_uninstrumented_application_is_as_before(self, engine: str) -> None:
        """An application without its instrumentation responds and is extended as before."""
        app = build()
        with capture() as captured:
            recorded = Recorded(captured, app, engine)
            uninstrument_fastapi(app)
            app.add_middleware(SilentMiddleware)
            response = recorded.ask("/items/7")

            assert {} == recorded.samples()
        assert ask(build(), Request("/items/7")).sent == response.sent
        assert () == captured.spans()

    def test_uninstrumented_application_can_be_instrumented(self, engine: str) -> None:
        """An application can be instrumented again after its uninstrumentation."""
        app = build()
        with capture() as captured:
            Recorded(captured, app, engine)
            uninstrument_fastapi(app)
            recorded = Recorded(captured, app, engine)
            recorded.ask("/items/7")

        assert 1 == len(recorded.spans())


class SilentMiddleware:
    """A middleware that passes everything on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the application."""
        await self.app(scope, receive, send)


class TestNeighbours:
    def test_fastapis_own_telemetry_adds_nothing(
        self, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """FastAPI's own telemetry adds no span and no sample."""
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        with capture() as other:
            assert other.telemetry.traces is not None
            app = build_with_own_telemetry(other.telemetry.traces.provider)
            recorded = instrument(app)
            recorded.ask("/items/7")

        assert 1 == len(recorded.spans()) + len(other.spans())
        assert {Sample("GET", "/items/{item_id}"): 1} == recorded.samples()

    @pytest.mark.parametrize("kind", [OpenTelemetryMiddleware, SubclassedMiddleware])
    def test_contribs_middleware_of_application_adds_nothing(
        self, instrument: Instrument, kind: type[OpenTelemetryMiddleware]
    ) -> None:
        """Contrib's middleware, added by the application itself, adds no span and no sample."""
        app = build()
        recorded = instrument(app)
        telemetry = recorded.captured.telemetry
        assert telemetry.traces is not None
        app.add_middleware(kind, tracer_provider=telemetry.traces.provider)
        recorded.ask("/items/7")

        assert 1 == len(recorded.spans())
        assert 1 == recorded.samples().total()

    @pytest.mark.parametrize("is_first", [True, False])
    def test_contribs_instrumentor_adds_nothing(
        self, instrument: Instrument, is_first: bool
    ) -> None:
        """Contrib's instrumentation of the application, before or after, adds nothing."""
        app = build()
        with capture() as other:
            assert other.telemetry.traces is not None
            provider = other.telemetry.traces.provider
            if is_first:
                FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
            recorded = instrument(app)
            if not is_first:
                FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
            recorded.ask("/items/7")

        assert 1 == len([*recorded.spans(), *[s for s in other.spans() if s.kind.name == "SERVER"]])
        assert 1 == recorded.samples().total()
        assert 1 == len(recorded.series(f"{DURATION}_count"))
        assert 1 == len(recorded.series(ACTIVE))


def build_with_own_telemetry(provider: Any) -> FastAPI:
    """Return an application whose telemetry by FastAPI is on."""
    app = FastAPI(telemetry={"tracer_provider": provider})

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> int:
        return item_id

    return app
