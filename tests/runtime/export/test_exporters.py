from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import structlog
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_meta import Counter, MetaRepo, NoLabels
from otel_meta.errors import ConfigurationError, MissingExtra
from otel_meta.runtime.export import exporters
from otel_meta.runtime.export.exporters import (
    create_exporter,
    is_pushed,
    target_names,
    temporality_preference,
)
from otel_meta.runtime.settings import read_settings
from otel_meta.runtime.signals import SIGNALS, Signal
from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Run

HTTP = "opentelemetry.exporter.otlp.proto.http"
GRPC = "opentelemetry.exporter.otlp.proto.grpc"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)


class GrpcSink:
    """A receiver of OTLP over gRPC that keeps all requests."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        for service, answer in (
            (trace_service_pb2_grpc.TraceServiceServicer, trace_service_pb2),
            (metrics_service_pb2_grpc.MetricsServiceServicer, metrics_service_pb2),
            (logs_service_pb2_grpc.LogsServiceServicer, logs_service_pb2),
        ):
            self._add(service, answer)
        self._server.start()

    @property
    def endpoint(self) -> str:
        """The value for ``OTEL_EXPORTER_OTLP_ENDPOINT``."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop(grace=None).wait()

    def _add(self, service: Any, messages: Any) -> None:
        kind = service.__name__.removesuffix("ServiceServicer")
        answer = getattr(messages, f"Export{kind}ServiceResponse")

        def export(_self: object, request: Any, _context: object) -> Any:
            self.received.append(request)
            return answer()

        servicer = type("Servicer", (service,), {"Export": export})()
        modules = {
            "Trace": trace_service_pb2_grpc,
            "Metrics": metrics_service_pb2_grpc,
            "Logs": logs_service_pb2_grpc,
        }
        getattr(modules[kind], f"add_{service.__name__}_to_server")(servicer, self._server)


@pytest.fixture
def grpc_sink() -> Iterator[GrpcSink]:
    """A receiver of OTLP over gRPC."""
    sink = GrpcSink()
    yield sink
    sink.stop()


def record(captured: CapturedTelemetry) -> None:
    """Record a metric, a span and a log line, and flush."""
    assert captured.telemetry.traces is not None
    captured.bind(Atlas).tiles.add(3)
    captured.telemetry.traces.provider.get_tracer("test").start_span("drawing").end()
    structlog.get_logger("test").info("drawn")
    assert captured.telemetry.flush()


class TestTargets:
    @pytest.mark.parametrize(
        ("signal", "names"),
        [
            ("traces", ["console", "none", "otlp"]),
            ("metrics", ["console", "none", "otlp", "prometheus"]),
            ("logs", ["none", "otlp"]),
        ],
    )
    def test_each_signal_has_its_targets(self, signal: Signal, names: list[str]) -> None:
        """Each signal has its targets."""
        assert names == target_names(signal)

    @pytest.mark.parametrize(
        ("name", "pushed"), [("otlp", True), ("theirs", True), ("prometheus", False)]
    )
    def test_prometheus_alone_is_not_pushed(self, name: str, pushed: bool) -> None:
        """Prometheus alone is not pushed."""
        assert pushed is is_pushed(name)

    @pytest.mark.parametrize(
        ("name", "preference"),
        [("otlp", "delta"), ("console", "cumulative"), ("theirs", "cumulative")],
    )
    def test_temporality_setting_applies_to_otlp_alone(self, name: str, preference: str) -> None:
        """The temporality setting applies to OTLP alone."""
        environ = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}
        otlp = read_settings("a", environ=environ).otlp

        assert preference == temporality_preference(name, otlp)


class TestOtlp:
    def test_all_three_signals_arrive_over_http(self) -> None:
        """All three signals arrive over HTTP."""
        with OtlpReceiver() as sink:
            with capture("maps", Atlas, otlp_endpoint=sink.endpoint + "/") as captured:
                record(captured)
            tiles = next(metric for metric in sink.metrics() if metric.name == "atlas.tiles")

            assert [("maps", "drawing")] == [(s.service_name, s.span.name) for s in sink.spans()]
            assert [3.0] == [point.as_double for point in tiles.sum.data_points]
            assert ["drawn"] == [record.body.string_value for record in sink.log_records()]

    def test_all_three_signals_arrive_over_grpc(self, grpc_sink: GrpcSink) -> None:
        """All three signals arrive over gRPC."""
        environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        endpoint = grpc_sink.endpoint
        with capture("maps", Atlas, otlp_endpoint=endpoint, environ=environ) as captured:
            record(captured)
        received = "".join(map(str, grpc_sink.received))

        assert {"ExportTraceServiceRequest", "ExportMetricsServiceRequest"} <= {
            type(request).__name__ for request in grpc_sink.received
        }
        assert [True] * 4 == [
            text in received for text in ('"drawing"', '"atlas.tiles"', '"drawn"', '"maps"')
        ]

    def test_variable_sets_protocol_of_single_signal(self, grpc_sink: GrpcSink) -> None:
        """A variable sets the protocol of a single signal."""
        environ = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}
        settings: dict[str, Any] = {"metrics": "none", "logs": "none", "traces": "otlp"}
        endpoint = grpc_sink.endpoint
        with capture(otlp_endpoint=endpoint, environ=environ, **settings) as captured:
            record(captured)

        assert ["ExportTraceServiceRequest"] == [type(r).__name__ for r in grpc_sink.received]


class TestConsole:
    def test_console_exporters_print_spans_and_metrics(self, script: Callable[..., Run]) -> None:
        """The console exporters print spans and metrics."""
        run = script(
            "import otel_meta\n"
            "from opentelemetry import trace\n"
            "with otel_meta.configure('a', log_stream=None):\n"
            "    trace.get_tracer('a').start_span('drawing').end()\n",
            OTEL_TRACES_EXPORTER="console",
            OTEL_METRICS_EXPORTER="console",
        )

        assert (0, "") == (run.code, run.stderr)
        assert [True, True] == ['"drawing"' in run.stdout, '"otel_meta.up"' in run.stdout]


class TestInstalled:
    def test_exporter_of_another_package_is_found_by_its_entry_point(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An exporter of another package is found by its entry point."""
        queries: list[dict[str, str]] = []

        class Entry:
            def load(self) -> type[InMemorySpanExporter]:
                return InMemorySpanExporter

        def entry_points(**wanted: str) -> tuple[Entry, ...]:
            queries.append(wanted)
            return (Entry(),)

        monkeypatch.setattr(exporters, "entry_points", entry_points)
        exporter = create_exporter("traces", "theirs", read_settings(environ={}).otlp)

        assert isinstance(exporter, InMemorySpanExporter)
        assert [{"group": "opentelemetry_traces_exporter", "name": "theirs"}] == queries


class TestMissing:
    @pytest.mark.parametrize("signal", SIGNALS)
    @pytest.mark.parametrize(("package", "protocol"), [(HTTP, "http/protobuf"), (GRPC, "grpc")])
    def test_otlp_export_without_its_package_is_error_that_names_extra(
        self, monkeypatch: pytest.MonkeyPatch, signal: Signal, package: str, protocol: str
    ) -> None:
        """OTLP export without its package is an error that names the extra to install."""
        for module in ("trace_exporter", "metric_exporter", "_log_exporter"):
            monkeypatch.setitem(sys.modules, f"{package}.{module}", None)
        environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        settings = read_settings(service_name="a", environ=environ)

        with pytest.raises(MissingExtra, match=r"OTLP export.*pip install 'otel_meta\[otlp\]'"):
            create_exporter(signal, "otlp", settings.otlp)

    def test_prometheus_export_without_its_package_is_error_that_names_extra(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Prometheus export without its package is an error that names the extra."""
        monkeypatch.delitem(sys.modules, "otel_meta.runtime.prometheus.scrape", raising=False)
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.prometheus", None)

        with pytest.raises(MissingExtra, match=r"pip install 'otel_meta\[prometheus\]'"):
            capture().__enter__()

    def test_disabled_sdk_needs_no_exporter_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disabled SDK needs no exporter package."""
        for module in ("trace_exporter", "metric_exporter", "_log_exporter"):
            monkeypatch.setitem(sys.modules, f"{HTTP}.{module}", None)
        named: dict[str, Any] = dict.fromkeys(SIGNALS, "otlp")

        with capture(environ={"OTEL_SDK_DISABLED": "true"}, **named) as captured:
            assert captured.telemetry.settings.disabled


class TestRefused:
    def test_exporter_that_refuses_its_settings_is_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An exporter that refuses its settings is an error that names exporter and signal."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "bogus")
        environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        settings = read_settings(service_name="a", environ=environ)

        with pytest.raises(
            ConfigurationError, match=r"the otlp exporter of traces cannot start: .*OTEL_EXPORTER_"
        ):
            create_exporter("traces", "otlp", settings.otlp)
