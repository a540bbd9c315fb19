from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_meta.runtime.lifecycle.foreign_providers import NO_PROVIDERS, ForeignProviders
from otel_meta.runtime.settings import read_settings

if TYPE_CHECKING:
    from tests.conftest import Run

TRACES = """
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

theirs = InMemorySpanExporter()
provider = TracerProvider(resource=Resource({"service.name": "theirs"}))
provider.add_span_processor(SimpleSpanProcessor(theirs))
trace.set_tracer_provider(provider)
"""
METRICS = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
def of_theirs():
    data = reader.get_metrics_data()
    scopes = [s for r in data.resource_metrics for s in r.scope_metrics] if data else []
    return {m.name: [p.value for p in m.data.data_points] for s in scopes for m in s.metrics}
"""
OWN_CLASS = """
from opentelemetry import trace
class Provider(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs): return trace.NoOpTracer()
trace.set_tracer_provider(Provider())
"""
WRAPPED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
class Provider(trace.TracerProvider):
    inner = TracerProvider()
    def get_tracer(self, *args, **kwargs): return self.inner.get_tracer(*args, **kwargs)
trace.set_tracer_provider(Provider())
"""
SERVICE = """
import json, sys
import otel_meta
from otel_meta import Counter, MetaRepo, NoLabels, labels
from otel_meta.testing import OtlpReceiver

@labels
class Visit:
    page: str

class Shop(MetaRepo, name="shop", owner="team", tier=2):
    '''A shop.'''
    orders = Counter("shop.orders", "Orders that were placed.", NoLabels)
    visits = Counter("shop.visits", "Visits of a page.", Visit)

def page(telemetry):
    lines = telemetry.scrape.render()[0].decode().splitlines()
    return {l.partition("{")[0]: float(l.rpartition(" ")[2]) for l in lines if l[:1] != "#"}
"""
LIBRARY = """
from opentelemetry import metrics, trace
metrics.get_meter("library").create_counter("library.calls").add(3)
"""


def result(run: Run) -> Any:
    """Return what a program has printed as its last line."""
    assert 0 == run.code, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def lines_of(run: Run) -> list[str]:
    """Return the events that otel_meta logged at the start."""
    events = [json.loads(line) for line in run.stdout.splitlines() if '"event"' in line]
    return [event["event"] for event in events if event.get("logger") == "otel_meta"]


class TestSetBefore:
    def test_spans_come_from_foreign_provider_and_leave_it_once(
        self, script: Callable[..., Run]
    ) -> None:
        """Spans come from the foreign provider, whose exporter gets each of them once."""
        run = script(
            f"{TRACES}{SERVICE}"
            "with OtlpReceiver() as receiver:\n"
            "    import os; os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url\n"
            "    telemetry = otel_meta.configure('shop', Shop)\n"
            "    tracer = telemetry.traces.provider.get_tracer('engine')\n"
            "    tracer.start_span('ours').end()\n"
            "    trace.get_tracer('library').start_span('of a library').end()\n"
            "    telemetry.shutdown()\n"
            "    tracer.start_span('late').end()\n"
            "    names = [span.name for span in theirs.get_finished_spans()]\n"
            "    print(json.dumps([names, len(receiver.spans())]))\n"
        )

        assert [["ours", "of a library", "late"], 0] == result(run)

    def test_exporter_named_by_argument_is_added(self, script: Callable[..., Run]) -> None:
        """An exporter that an argument names gets the spans as well, until the shutdown."""
        run = script(
            f"{TRACES}{SERVICE}"
            "with OtlpReceiver() as receiver:\n"
            "    for name in ('first', 'second'):\n"
            "        telemetry = otel_meta.configure('shop', Shop, otlp_endpoint=receiver.url)\n"
            "        trace.get_tracer('library').start_span(name).end()\n"
            "        telemetry.shutdown()\n"
            "        trace.get_tracer('library').start_span('between').end()\n"
            "    print(json.dumps([each.span.name for each in receiver.spans()]))\n"
        )

        assert ["first", "second"] == result(run)

    def test_metrics_of_libraries_and_ours_are_on_the_page_once(
        self, script: Callable[..., Run]
    ) -> None:
        """The page has what libraries record with the foreign provider, and our series once."""
        run = script(
            f"{METRICS}{SERVICE}"
            "live = otel_meta.bind(Shop)\n"
            "live.orders.add(1)\n"
            "live.visits.add(1, page='old')\n"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            "live.orders.add(10)\n"
            f"{LIBRARY}"
            "shown = page(telemetry)\n"
            "telemetry.shutdown()\n"
            "live.orders.add(100)\n"
            "print(json.dumps([shown, of_theirs()]))\n"
        )
        shown, theirs = result(run)

        assert (10.0, 3.0, 1.0) == (
            shown["shop_orders_total"],
            shown["library_calls_total"],
            shown["otel_meta_up"],
        )
        assert {"shop.orders": [101.0], "shop.visits": [1.0], "library.calls": [3]} == theirs
        assert "shop_visits_total" not in shown

    def test_prometheus_exporter_of_the_other_library_is_not_shown_twice(
        self, script: Callable[..., Run]
    ) -> None:
        """The stock exporter in the default registry has the same metrics, and is left out."""
        program = METRICS.replace(
            "[reader]",
            "[reader, __import__('opentelemetry.exporter.prometheus', fromlist=['a'])"
            ".PrometheusMetricReader()]",
        )
        run = script(
            f"{program}{SERVICE}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            f"{LIBRARY}"
            "page(telemetry)\n"
            "shown = page(telemetry)\n"
            "print(json.dumps([shown['library_calls_total'], 'otel_meta_faults_total' in shown]))\n"
        )

        assert [3.0, False] == result(run)

    def test_resource_on_the_page_is_that_of_telemetry(self, script: Callable[..., Run]) -> None:
        """``target_info`` on the page has the service of telemetry."""
        run = script(
            f"{METRICS}{SERVICE}{LIBRARY}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            "text = telemetry.scrape.render()[0].decode()\n"
            "(info,) = [l for l in text.splitlines() if l.startswith('target_info')]\n"
            "print(json.dumps('service_name=\"shop\"' in info))\n"
        )

        assert result(run)

    @pytest.mark.parametrize("provider", [TRACES, WRAPPED], ids=["SDK", "own class"])
    def test_exemplars_come_from_spans_of_foreign_provider(
        self, provider: str, script: Callable[..., Run]
    ) -> None:
        """A measurement inside a span of the foreign provider leaves an exemplar."""
        run = script(
            f"{provider}{SERVICE}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            "live = telemetry.bind(Shop)\n"
            "with trace.get_tracer('library').start_as_current_span('a') as span:\n"
            "    live.orders.add(1)\n"
            "text = telemetry.scrape.render('application/openmetrics-text')[0].decode()\n"
            "print(json.dumps(f'{span.get_span_context().trace_id:032x}' in text))\n"
        )

        assert result(run)

    def test_line_says_once_what_was_done(self, script: Callable[..., Run]) -> None:
        """One line names the owner, and says where spans and metrics of libraries go."""
        run = script(f"{TRACES}{METRICS}{SERVICE}otel_meta.configure('shop', Shop)")
        start, adoption = lines_of(run)

        assert ", traces left to another library, " in start
        assert (
            "another library (opentelemetry.sdk.trace.TracerProvider) has set providers of "
            "OpenTelemetry, which stay: spans are made by its tracer provider, as "
            "service.name='theirs'; it exports them alone (configure(traces=\"otlp\") adds an "
            "exporter); metrics of libraries are on /metrics as well; the metrics of "
            "meta-repositories are exported by otel_meta alone" == adoption
        )

    def test_provider_without_processors_is_used_as_it_is(self, script: Callable[..., Run]) -> None:
        """A provider that takes no span processor is used, and the line says so."""
        run = script(
            f"{OWN_CLASS}{SERVICE}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            "print(json.dumps([type(telemetry.traces.provider).__name__, telemetry.flush(),\n"
            "    telemetry.shutdown()]))\n"
        )

        assert ["Provider", True, True] == result(run)
        assert "it takes no span processor, so it exports them alone" in lines_of(run)[1]

    def test_propagators_of_the_other_library_stay(self, script: Callable[..., Run]) -> None:
        """Propagators that the other library has set stay in place."""
        run = script(
            f"{TRACES}{SERVICE}"
            "from opentelemetry import propagate\n"
            "from opentelemetry.propagators.composite import CompositePropagator\n"
            "before = CompositePropagator([])\n"
            "propagate.set_global_textmap(before)\n"
            "otel_meta.configure('shop', Shop)\n"
            "print(json.dumps(propagate.get_global_textmap() is before))\n"
        )

        assert result(run)

    def test_telemetry_that_was_shut_down_is_kept_by_nothing(
        self, script: Callable[..., Run]
    ) -> None:
        """The foreign providers keep nothing of telemetry that was shut down."""
        run = script(
            f"{TRACES}{METRICS}{SERVICE}"
            "import gc, weakref\n"
            "telemetry = otel_meta.configure('shop', Shop, traces='otlp')\n"
            "kept = [weakref.ref(telemetry.storage), weakref.ref(telemetry.scrape.reader),\n"
            "    weakref.ref(telemetry.storage.spans)]\n"
            "telemetry.shutdown()\n"
            "del telemetry\n"
            "gc.collect()\n"
            "print(json.dumps([repr(each()) for each in kept]))\n"
        )

        assert ["None", "None", "None"] == result(run)

    def test_port_of_the_other_exporter_is_no_error(self, script: Callable[..., Run]) -> None:
        """If the other library serves the port of the variable, the service starts without it."""
        run = script(
            f"{METRICS}{SERVICE}"
            "import os, socket\n"
            "with socket.create_server(('localhost', 0)) as taken:\n"
            "    port = str(taken.getsockname()[1])\n"
            "    os.environ['OTEL_EXPORTER_PROMETHEUS_PORT'] = port\n"
            "    telemetry = otel_meta.configure('shop', Shop)\n"
            "    print(json.dumps(telemetry.port))\n"
        )

        assert result(run) is None
        (warning,) = [line for line in lines_of(run) if line.startswith("port ")]
        assert "probably by the exporter of the library that has set the meter provider" in warning


class TestSetAfter:
    def test_provider_that_comes_too_late_is_refused_by_the_api(
        self, script: Callable[..., Run]
    ) -> None:
        """After `configure`, the API refuses a further provider, and telemetry keeps all."""
        run = script(
            f"{SERVICE}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            f"{TRACES}{METRICS}{LIBRARY}"
            "live = otel_meta.bind(Shop)\n"
            "live.orders.add(1)\n"
            "shown = page(telemetry)\n"
            "print(json.dumps([shown['shop_orders_total'], shown['library_calls_total']]))\n"
        )

        assert [1.0, 3.0] == result(run)
        assert 1 == run.stdout.count("Overriding of current MeterProvider is not allowed")


@pytest.fixture
def root_handler() -> Iterator[Callable[[str], None]]:
    """Return a function that adds a handler of a package to the root logger."""
    added: list[logging.Handler] = []

    def add(module: str) -> None:
        made: Any = type("LoggingHandler", (logging.NullHandler,), {"__module__": module})
        added.append(made())
        logging.getLogger().addHandler(added[-1])

    yield add
    for each in added:
        logging.getLogger().removeHandler(each)


class TestDoubles:
    settings = read_settings(
        "shop", environ={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    )
    foreign = ForeignProviders(tracer=TracerProvider(shutdown_on_exit=False))

    @pytest.mark.parametrize(
        ("given", "expected"), [((), ()), (("traces",), ("otlp",)), (("otlp_endpoint",), ("otlp",))]
    )
    def test_exporter_of_variables_is_left_to_the_other_library(
        self, given: tuple[str, ...], expected: tuple[str, ...]
    ) -> None:
        """Spans are exported by telemetry only if an argument asks for that."""
        assert expected == self.foreign.without_doubles(self.settings, given).exporters["traces"]

    def test_metrics_of_meta_repositories_are_exported_always(self) -> None:
        """Metrics of meta-repositories have no other way, and keep their exporters."""
        left = self.foreign.without_doubles(self.settings, ())

        assert self.settings.exporters["metrics"] == left.exporters["metrics"]

    @pytest.mark.parametrize(
        ("module", "expected"),
        [
            ("opentelemetry.sdk._logs", ()),
            ("logfire.integrations.logging", ()),
            ("service.logs", ("otlp",)),
        ],
    )
    def test_logs_are_left_to_a_handler_that_exports(
        self, module: str, expected: tuple[str, ...], root_handler: Callable[[str], None]
    ) -> None:
        """Log records are left to the other library if its handler exports them."""
        root_handler(module)

        assert expected == self.foreign.without_doubles(self.settings, ()).exporters["logs"]

    def test_without_providers_nothing_changes(self, root_handler: Callable[[str], None]) -> None:
        """Without providers of another library, settings stay as they are."""
        root_handler("opentelemetry.sdk._logs")

        assert replace(self.settings) == NO_PROVIDERS.without_doubles(self.settings, ())


class TestReport:
    settings = read_settings("shop", metrics="prometheus", environ={})

    def report(self, **providers: Any) -> str:
        """Return the line about providers."""
        return ForeignProviders(**providers).report(self.settings)

    def test_distribution_is_the_owner(self) -> None:
        """The line names the distribution, where the resource has it."""
        resource = Resource({"telemetry.distro.name": "elastic", "service.name": "shop"})

        assert self.report(tracer=TracerProvider(resource=resource)).startswith(
            "elastic (opentelemetry.sdk.trace.TracerProvider) has set providers"
        )

    def test_provider_without_readers_is_named(self) -> None:
        """The line says that metrics of libraries are missing where no reader can be added."""
        assert "takes no reader" in self.report(meter=object())
        assert "takes no reader" not in self.report(meter=MeterProvider(shutdown_on_exit=False))

    def test_nothing_is_said_without_providers(self) -> None:
        """Without providers of another library there is no line."""
        assert "" == self.report()

    def test_class_of_another_package_with_the_name_of_the_apis_proxy_is_foreign(
        self, script: Callable[..., Run]
    ) -> None:
        """A provider is not taken for the API's own proxy because of its name."""
        run = script(
            "from opentelemetry import trace\n"
            "class ProxyTracerProvider(trace.NoOpTracerProvider): pass\n"
            "trace.set_tracer_provider(ProxyTracerProvider())\n"
            f"{SERVICE}"
            "telemetry = otel_meta.configure('shop', Shop)\n"
            "print(json.dumps(type(telemetry.traces.provider).__name__))\n"
        )

        assert "ProxyTracerProvider" == result(run)
