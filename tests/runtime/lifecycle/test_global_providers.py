from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_meta.runtime.lifecycle.global_providers import (
    GlobalMeterProvider,
    GlobalTracerProvider,
)

if TYPE_CHECKING:
    from tests.conftest import Run


class Traces:
    """A tracer provider of the SDK that keeps its spans."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def names(self) -> list[str]:
        """Return the names of the ended spans."""
        return [span.name for span in self._exporter.get_finished_spans()]


class Metrics:
    """A meter provider of the SDK that keeps its measurements."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def values(self) -> dict[str, float]:
        """Return the values by name; of a histogram the sum."""
        data: Any = self._reader.get_metrics_data()
        scopes = [scope for each in data.resource_metrics for scope in each.scope_metrics]
        points = [
            (m.name, p) for scope in scopes for m in scope.metrics for p in m.data.data_points
        ]
        return {name: p.sum if hasattr(p, "sum") else p.value for name, p in points}


def start_span(tracer: Any) -> None:
    """Start and end a span."""
    tracer.start_span("started").end()


def enter_span(tracer: Any) -> None:
    """Enter and leave a span."""
    with tracer.start_as_current_span("entered"):
        pass


class TestTracers:
    @pytest.mark.parametrize("use", [start_span, enter_span])
    def test_tracer_obtained_before_follows_to_next_provider(
        self, use: Callable[[Any], None]
    ) -> None:
        """A tracer that was obtained before follows to the next provider."""
        ours, first, second = GlobalTracerProvider(), Traces(), Traces()
        ours.use(first.provider)
        tracer = ours.get_tracer("library", "1.0")
        use(tracer)
        ours.use(second.provider)
        use(tracer)

        assert (1, 1) == (len(first.names()), len(second.names()))

    def test_function_decorated_before_follows_to_next_provider(self) -> None:
        """A function that a tracer decorated before follows to the next provider."""
        ours, first, second = GlobalTracerProvider(), Traces(), Traces()
        ours.use(first.provider)
        tracer = ours.get_tracer("library")

        @tracer.start_as_current_span("plain")
        def work() -> None: ...

        @tracer.start_as_current_span("coroutine")
        async def wait() -> None: ...

        for _ in range(2):
            work()
            asyncio.run(wait())
            ours.use(second.provider)

        assert ["plain", "coroutine"] == first.names() == second.names()

    def test_provider_left_is_not_kept_by_its_tracers(self) -> None:
        """A provider that was left is not kept alive by tracers of libraries."""
        ours, traces = GlobalTracerProvider(), Traces()
        ours.use(traces.provider)
        tracer = ours.get_tracer("library")
        tracer.start_span("span").end()
        ours.leave(traces.provider)
        alive = weakref.ref(traces.provider)
        del traces
        gc.collect()

        assert alive() is None
        assert tracer is not None

    def test_spans_after_shutdown_have_ids_and_are_not_sampled(self) -> None:
        """Spans after the shutdown have ids, and are not sampled."""
        ours, traces = GlobalTracerProvider(), Traces()
        ours.use(traces.provider)
        ours.leave(traces.provider)
        context = ours.get_tracer("library").start_span("late").get_span_context()

        assert (True, False) == (context.is_valid, context.trace_flags.sampled)

    def test_leaving_former_provider_does_not_affect_current_one(self) -> None:
        """Leaving a former provider does not affect the current one."""
        ours, first, second = GlobalTracerProvider(), Traces(), Traces()
        ours.use(first.provider)
        ours.use(second.provider)
        ours.leave(first.provider)
        ours.get_tracer("library").start_span("span").end()

        assert ["span"] == second.names()

    def test_libraries_see_and_extend_provider_of_sdk(self) -> None:
        """Libraries see the provider of the SDK, and can add a span processor to it."""
        ours, traces, added = GlobalTracerProvider(), Traces(), InMemorySpanExporter()
        ours.use(traces.provider)
        provider: Any = ours
        provider.add_span_processor(SimpleSpanProcessor(added))
        ours.get_tracer("library").start_span("span").end()

        assert isinstance(provider, TracerProvider)
        assert isinstance(ours.get_tracer("library"), trace_api.Tracer)
        assert traces.provider.resource is provider.resource
        assert 1 == len(added.get_finished_spans())


def observe(value: float) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """Return a callback that observes a value."""
    return lambda _options: [Observation(value)]


def generate(value: float) -> Generator[Iterable[Observation], CallbackOptions, None]:
    """Observe a value as a generator."""
    while True:
        yield [Observation(value)]


class TestMeters:
    @pytest.mark.parametrize(
        ("create", "record"),
        [
            ("create_counter", "add"),
            ("create_up_down_counter", "add"),
            ("create_histogram", "record"),
            ("create_gauge", "set"),
        ],
    )
    def test_instrument_obtained_before_follows_to_next_provider(
        self, create: str, record: str
    ) -> None:
        """An instrument that was obtained before follows to the next provider."""
        ours, first, second = GlobalMeterProvider(), Metrics(), Metrics()
        ours.use(first.provider)
        instrument = getattr(ours.get_meter("library"), create)("lib.size", unit="By")
        getattr(instrument, record)(1)
        ours.use(second.provider)
        getattr(instrument, record)(2)

        assert ({"lib.size": 1}, {"lib.size": 2}) == (first.values(), second.values())
        assert isinstance(instrument, metrics_api.Instrument)

    @pytest.mark.parametrize("callback", [observe(3), generate(3)])
    def test_callback_of_instrument_follows_to_next_provider(self, callback: Any) -> None:
        """The callback of an instrument that nobody keeps follows to the next provider."""
        ours, first, second = GlobalMeterProvider(), Metrics(), Metrics()
        ours.use(first.provider)
        ours.get_meter("library").create_observable_gauge("lib.load", [callback])
        before = first.values()
        ours.use(second.provider)
        gc.collect()

        assert {"lib.load": 3} == before == second.values()

    def test_callback_of_later_application_replaces_that_of_former(self) -> None:
        """The callback of a later application replaces that of the former application."""
        ours, found = GlobalMeterProvider(), []
        for value in (1, 2):
            metrics = Metrics()
            ours.use(metrics.provider)
            meter = ours.get_meter("library")
            meter.create_observable_gauge("lib.load", callbacks=[observe(value)])
            found.append(metrics.values())

        assert [{"lib.load": 1}, {"lib.load": 2}] == found

    def test_measurements_after_shutdown_are_dropped(self) -> None:
        """Measurements after the shutdown are dropped, and the provider is not kept."""
        ours, metrics = GlobalMeterProvider(), Metrics()
        ours.use(metrics.provider)
        ours.get_meter("library").create_observable_gauge("lib.load", [observe(1)])
        counter = ours.get_meter("library").create_counter("lib.calls")
        ours.leave(metrics.provider)
        counter.add(1)
        alive = weakref.ref(metrics.provider)
        del metrics
        gc.collect()

        assert alive() is None


CONFIGURE_AND_SHUT_DOWN = """
import otel_meta
telemetry = otel_meta.configure("shop", log_stream=None)
telemetry.shutdown()
otel_meta.configure("shop", log_stream=None)
"""


class TestVariables:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"),
            ("OTEL_METRICS_EXEMPLAR_FILTER", "nonsense"),
            ("OTEL_PYTHON_TRACER_PROVIDER", "unknown"),
            ("OTEL_PYTHON_METER_PROVIDER", "unknown"),
        ],
    )
    def test_invalid_variable_breaks_neither_start_nor_shutdown(
        self, name: str, value: str, script: Callable[..., Run]
    ) -> None:
        """An invalid variable, which the SDK refuses, breaks neither start nor shutdown."""
        run = script(CONFIGURE_AND_SHUT_DOWN, **{name: value})

        assert (0, False) == (run.code, "Traceback" in run.stderr), run.stderr
