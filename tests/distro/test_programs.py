"""Programs without a web application, under the injector."""

from __future__ import annotations

import socket

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from otel_meta.testing import OtlpReceiver
from otel_meta.testing.loopback import free_port
from tests.distro.conftest import RunInjected

JOB = """
from opentelemetry import metrics, trace

metrics.get_meter("job").create_counter("rows").add(5)
with trace.get_tracer("job").start_as_current_span("import"):
    pass
"""


def test_job_exports_at_its_end(run_injected: RunInjected) -> None:
    """A program that uses OpenTelemetry's API alone exports its numbers and spans at its end."""
    with OtlpReceiver() as receiver:
        run_injected(JOB, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    assert ["import"] == [each.span.name for each in receiver.spans()]
    assert "rows" in {metric.name for metric in receiver.metrics()}


def test_output_of_program_stays_its_own(run_injected: RunInjected) -> None:
    """Telemetry adds no line to the output of a program, which another program may read."""
    run = run_injected("print('version 7')")

    assert ("version 7\n", "") == (run.stdout, run.stderr)


def test_error_of_configuration_is_one_line(run_injected: RunInjected) -> None:
    """A program runs if telemetry cannot start, and one line of standard error says why."""
    run = run_injected("print('works')", OTEL_CONFIG_FILE="telemetry.yaml")
    (line,) = run.stderr.splitlines()

    assert (0, "works\n") == (run.code, run.stdout)
    assert line.startswith("this process runs without telemetry: OTEL_CONFIG_FILE=")


def test_port_in_use_costs_the_port_alone(run_injected: RunInjected) -> None:
    """If the port for /metrics is in use, telemetry starts without it, with a warning."""
    with socket.create_server(("localhost", 0)) as taken, OtlpReceiver() as receiver:
        run = run_injected(
            JOB,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_METRICS_EXPORTER="prometheus,otlp",
            OTEL_EXPORTER_PROMETHEUS_PORT=str(taken.getsockname()[1]),
        )

    assert 1 == len(run.events("telemetry starts without a port of its own: cannot serve"))
    assert "rows" in {metric.name for metric in receiver.metrics()}


def test_replaced_telemetry_exports_nothing(run_injected: RunInjected) -> None:
    """If the program configures telemetry itself, the telemetry of the environment is not sent."""
    with OtlpReceiver() as receiver:
        run_injected(
            "from otel_meta import configure; configure('payments')",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        )
        resources = [
            attribute.value.string_value
            for request in receiver.requests_of(ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        ]

    assert ["payments"] == resources


FORKED = """
import os
from otel_meta import configure

if os.fork():
    os.wait()
else:
    configure("payments")
    print("configured", flush=True)
    os._exit(0)
"""


def test_forked_child_leaves_the_port_to_its_parent(run_injected: RunInjected) -> None:
    """A forked child configures telemetry of its own, although its parent has the port."""
    run = run_injected(
        FORKED,
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port()),
    )

    assert "configured" in run.stdout.splitlines(), run.stderr


def test_repository_of_working_directory_is_found(run_injected: RunInjected) -> None:
    """The meta-repository may be in a module of the working directory, as the application is."""
    source = """
if __name__ == "__main__":
    from opentelemetry import trace
    print(trace.get_tracer_provider().resource.attributes["service.namespace"])
else:
    from otel_meta import MetaRepo
    class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
        '''Map tiles.'''
"""
    run = run_injected(source, by_path=True, OTEL_META_REPO="program:Atlas")

    assert "atlas-maps\n" == run.stdout


@pytest.mark.parametrize(("variable", "expected"), [("redis", "True"), ("otel_meta", "False")])
def test_instrumentor_can_be_switched_off(
    run_injected: RunInjected, variable: str, expected: str
) -> None:
    """The standard variable switches the instrumentor of applications off."""
    source = (
        "import starlette.applications as s; print(hasattr(s.Starlette.__init__, '__wrapped__'))"
    )
    run = run_injected(source, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=variable)

    assert f"{expected}\n" == run.stdout
