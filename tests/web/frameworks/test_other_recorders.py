from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import fastapi
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_meta import instrument_fastapi, uninstrument_fastapi
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import CapturedTelemetry
from otel_meta.web.frameworks import other_recorders
from otel_meta.web.frameworks.builtin_telemetry import OFF
from tests.web.frameworks.routing import request

Instrument = Callable[[FastAPI], object]


class Others:
    """Providers of other recorders, and what they got."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader])

    @property
    def providers(self) -> dict[str, Any]:
        """As arguments of another instrumentation."""
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def spans(self) -> list[str]:
        """Return the names of the spans of requests."""
        return [span.name for span in self._exporter.get_finished_spans()]

    def samples(self) -> int:
        """Return the number of recorded durations."""
        data: Any = self._reader.get_metrics_data()
        found = [] if data is None else data.resource_metrics
        return sum(
            point.count
            for resource in found
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if "duration" in metric.name
            for point in metric.data.data_points
        )


@pytest.fixture
def others() -> Others:
    """Providers of other recorders."""
    return Others()


def shop(**options: Any) -> FastAPI:
    """Return an application."""
    app = FastAPI(**options)

    @app.get("/items/{name}")
    async def item(name: str) -> str:
        return name

    return app


def _contrib_before(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    FastAPIInstrumentor.instrument_app(app, **others.providers)
    instrument(app)
    return app


def _contrib_after(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    FastAPIInstrumentor.instrument_app(app, **others.providers)
    return app


def _middleware_before(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    app.add_middleware(OpenTelemetryMiddleware, **others.providers)
    instrument(app)
    return app


def _middleware_after(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    app.add_middleware(OpenTelemetryMiddleware, **others.providers)
    return app


class OwnMiddleware(OpenTelemetryMiddleware):
    """Middleware as a user derives it."""


def _subclass_after(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    app.add_middleware(OwnMiddleware, **others.providers)
    return app


def _around(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    return OpenTelemetryMiddleware(app, **others.providers)


def _around_mount(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    app.mount("/sub", OpenTelemetryMiddleware(shop(), **others.providers))
    return app


def _mount_by_contrib(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    sub = shop()
    FastAPIInstrumentor.instrument_app(sub, **others.providers)
    app.mount("/sub", sub)
    return app


def _mount_with_middleware(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    sub = shop()
    sub.add_middleware(OpenTelemetryMiddleware, **others.providers)
    app.mount("/sub", sub)
    return app


def _mount_of_fastapi(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    instrument(app)
    app.mount("/sub", shop(telemetry=others.providers))
    return app


def _native(app: FastAPI, others: Others, instrument: Instrument) -> Any:
    del app
    other = shop(telemetry=others.providers)
    instrument(other)
    return other


WAYS = {
    "contrib before": _contrib_before,
    "contrib after": _contrib_after,
    "middleware before": _middleware_before,
    "middleware after": _middleware_after,
    "subclass after": _subclass_after,
    "around": _around,
    "FastAPI's own": _native,
}
MOUNTS = {
    "middleware around": _around_mount,
    "contrib": _mount_by_contrib,
    "middleware": _mount_with_middleware,
    "FastAPI's own": _mount_of_fastapi,
}


async def _start(app: Any) -> None:
    """Start an application as a server does, and stop it."""
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        assert message["type"].endswith(".complete")

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)


def _recorded(captured: CapturedTelemetry) -> tuple[list[str], int]:
    """Return the names of the server spans, and the number of durations."""
    spans = [span.name for span in captured.spans() if span.kind is SpanKind.SERVER]
    family = captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
    return spans, sum(sum(cell.snapshot()[0]) for cell in family.cells())


@pytest.fixture
def instrument(captured_telemetry: CapturedTelemetry) -> Instrument:
    """Instrument an application."""
    return lambda app: instrument_fastapi(app, captured_telemetry.telemetry)


class TestOnce:
    @pytest.mark.parametrize("way", WAYS)
    def test_request_has_one_span_and_one_sample(
        self,
        captured_telemetry: CapturedTelemetry,
        instrument: Instrument,
        others: Others,
        way: str,
    ) -> None:
        """Whatever else records an application, a request has one server span and one sample."""
        served = WAYS[way](shop(), others, instrument)
        asyncio.run(_start(served))

        assert 200 == request(served, "/items/7").status
        assert (["GET /items/{name}"], 1) == _recorded(captured_telemetry)
        assert ([], 0) == (others.spans(), others.samples())

    @pytest.mark.parametrize("way", MOUNTS)
    def test_request_of_mounted_application_has_one_span_and_one_sample(
        self,
        captured_telemetry: CapturedTelemetry,
        instrument: Instrument,
        others: Others,
        way: str,
    ) -> None:
        """Whatever records a mounted application, a request has one span and one sample."""
        served = MOUNTS[way](shop(), others, instrument)

        assert 200 == request(served, "/sub/items/7").status
        assert (["GET /sub/items/{name}"], 1) == _recorded(captured_telemetry)
        assert ([], 0) == (others.spans(), others.samples())

    def test_process_that_is_instrumented_by_contrib_records_once(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """In a process that contrib instruments, a request has one span and one sample."""
        FastAPIInstrumentor().instrument(**others.providers)
        try:
            app = fastapi.FastAPI()
            app.get("/")(lambda: "")
            instrument(app)
            status = request(app, "/").status
        finally:
            FastAPIInstrumentor().uninstrument()

        assert 200 == status
        assert (["GET /"], 1) == _recorded(captured_telemetry)
        assert ([], 0) == (others.spans(), others.samples())

    def test_application_instrumented_twice_by_mounts_records_once(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument
    ) -> None:
        """An instrumented application in another records a request once."""
        app, sub = shop(), shop()
        instrument(app)
        instrument(sub)
        app.mount("/sub", sub)
        request(app, "/sub/items/7")

        assert (["GET /sub/items/{name}"], 1) == _recorded(captured_telemetry)

    def test_without_start_first_request_is_recorded_by_middleware_around(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """Without a start-up message, middleware around the application has the first request."""
        served = _around(shop(), others, instrument)
        request(served, "/items/7")
        first = _recorded(captured_telemetry)[1], others.samples()
        request(served, "/items/7")

        assert ((0, 1), (1, 1)) == (first, (_recorded(captured_telemetry)[1], others.samples()))
        assert 1 == len([line for line in captured_telemetry.logs() if "stood around" in str(line)])

    @pytest.mark.parametrize("is_own", [True, False])
    def test_outer_application_that_records_keeps_its_recorder(
        self,
        captured_telemetry: CapturedTelemetry,
        instrument: Instrument,
        others: Others,
        is_own: bool,
    ) -> None:
        """An application that mounts the instrumented one keeps its recorder; one line warns."""
        outer, sub = shop(telemetry=others.providers if is_own else {}), shop()
        if not is_own:
            FastAPIInstrumentor.instrument_app(outer, **others.providers)
        instrument(sub)
        outer.mount("/sub", sub)
        for _ in range(2):
            request(outer, "/sub/items/7")
        lines = [line["event"] for line in captured_telemetry.logs()]

        assert ([], 0, 2) == (*_recorded(captured_telemetry), others.samples())
        assert 1 == len([line for line in lines if "outermost application" in line])

    def test_removal_is_said_in_one_line(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """The removal of another recorder is said in one line."""
        app = _contrib_before(shop(), others, instrument)
        app.add_middleware(OpenTelemetryMiddleware, **others.providers)
        for _ in range(3):
            request(app, "/items/7")
        lines = [line["event"] for line in captured_telemetry.logs()]

        assert 1 == len([line for line in lines if "otel_meta has removed it" in line])

    def test_fault_of_search_is_counted_and_request_is_served(
        self,
        captured_telemetry: CapturedTelemetry,
        instrument: Instrument,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A fault in the search for other recorders is counted, and the request is served."""
        app = shop()
        instrument(app)
        for name in ("callers", "index_of"):
            monkeypatch.setattr(other_recorders, name, lambda *_: 1 / 0)
        asyncio.run(_start(app))

        assert 200 == request(app, "/items/7").status
        assert (["GET /items/{name}"], 1) == _recorded(captured_telemetry)


class TestUninstrument:
    @pytest.mark.parametrize("served", [False, True])
    def test_application_is_as_before(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, served: bool
    ) -> None:
        """The application is as it was before, also if it has served."""
        app = shop()
        before = dict(vars(app)), dict(app._telemetry)
        instrument(app)
        if served:
            request(app, "/items/7")
        uninstrument_fastapi(app)

        assert before == (dict(vars(app)), dict(app._telemetry))
        assert 200 == request(app, "/items/7").status
        assert int(served) == _recorded(captured_telemetry)[1]

    def test_middleware_can_be_added_afterwards(self, instrument: Instrument) -> None:
        """Middleware can be added afterwards."""
        app = shop()
        instrument(app)
        request(app, "/items/7")
        uninstrument_fastapi(app)
        app.add_middleware(OwnMiddleware)

        assert 200 == request(app, "/items/7").status

    def test_application_can_be_instrumented_again(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument
    ) -> None:
        """An application can be instrumented again."""
        app = shop()
        for _ in range(3):
            instrument(app)
            request(app, "/items/7")
            uninstrument_fastapi(app)
        request(app, "/items/7")

        assert (["GET /items/{name}"] * 3, 3) == _recorded(captured_telemetry)

    def test_other_recorders_record_again(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """Other recorders, which were cut out, record again."""
        app = shop()
        served = _around(app, others, instrument)
        asyncio.run(_start(served))
        request(served, "/items/7")
        uninstrument_fastapi(app)
        request(served, "/items/7")

        assert (1, 1) == (_recorded(captured_telemetry)[1], others.samples())

    @pytest.mark.parametrize("way", ["middleware around", "middleware", "FastAPI's own"])
    def test_recorders_of_mounted_applications_record_again(
        self, instrument: Instrument, others: Others, way: str
    ) -> None:
        """Recorders of mounted applications, which were cut out, record again."""
        app = MOUNTS[way](shop(telemetry=dict(OFF)), others, instrument)
        request(app, "/sub/items/7")
        uninstrument_fastapi(app)
        request(app, "/sub/items/7")

        assert 1 == others.samples()

    def test_instrumentation_of_contrib_that_was_added_later_stays(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """An instrumentation by contrib that was added later stays, and records again."""
        app = shop()
        instrument(app)
        FastAPIInstrumentor.instrument_app(app, **others.providers)
        uninstrument_fastapi(app)
        request(app, "/items/7")

        assert ([], 0, 1) == (*_recorded(captured_telemetry), others.samples())

    def test_contribs_own_uninstrumentation_takes_nothing_away(
        self, captured_telemetry: CapturedTelemetry, instrument: Instrument, others: Others
    ) -> None:
        """If contrib is uninstrumented later, requests are recorded as before."""
        app = _contrib_before(shop(), others, instrument)
        FastAPIInstrumentor.uninstrument_app(app)
        request(app, "/items/7")

        assert (["GET /items/{name}"], 1) == _recorded(captured_telemetry)

    def test_application_that_is_not_instrumented_does_not_change(self) -> None:
        """An application that is not instrumented does not change."""
        app = shop()
        before = dict(vars(app))
        uninstrument_fastapi(app)

        assert before == vars(app)
