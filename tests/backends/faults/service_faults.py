"""Faults of a service, and of its connection to the Collector."""

from __future__ import annotations

from typing import Any

from otel_meta.testing.loopback import free_port
from tests.backends.collector_server import Collector
from tests.backends.faults.fault_case import FaultSetup, control, fault
from tests.backends.faults.service_process import ServiceProcess, exposed_sum, service_process
from tests.backends.loss_accounting import FaultResult
from tests.backends.numbered_spans import SpanSink
from tests.runtime.export.raw_server import RawServer, http
from tests.waiting import wait_until

_EVENTS = "events_processed_total"
_FAULTS = "otel_meta_faults_total"
SMALL_LIMITS = {
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
    "OTEL_BSP_MAX_QUEUE_SIZE": "512",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "128",
    "OTEL_METRIC_EXPORT_INTERVAL": "200",
}
"""The SDK's limits, made small enough to reach.

The SDK alone reads its time-out in seconds, and not in milliseconds as the specification says."""


@fault("Collector down for longer than a service retries")
def collector_down(setup: FaultSetup) -> FaultResult:
    """The service keeps running, spans are dropped and counted, and no metric is lost."""
    sink, sidecar, service = _disconnected(setup, "commanded_service.py")
    port = sidecar.ports["METRICS"]
    wait_until(lambda: exposed_sum(port, _EVENTS) == 3300, "the counter is not complete")
    wait_until(lambda: exposed_sum(port, _FAULTS, source="export of traces") > 0)
    dropped = exposed_sum(port, _FAULTS, source="export of traces")
    assert service.process.poll() is None
    return FaultResult(
        sent=3300,
        stored=len(sink.stored),
        dropped=dropped,
        duplicates=sink.duplicates,
        observation="counted in otel_meta_faults_total; counters are complete at the next export",
    )


@control("the same with OpenTelemetry's SDK alone")
def collector_down_plain_sdk(setup: FaultSetup) -> FaultResult:
    """By default, no metric counts the spans that find the queue full."""
    sink, *_ = _disconnected(setup, "plain_sdk_service.py", OTEL_EXPORTER_OTLP_TIMEOUT="1")
    return FaultResult(
        sent=3300,
        stored=len(sink.stored),
        duplicates=sink.duplicates,
        observation="logged from time to time, not counted",
    )


def _disconnected(
    setup: FaultSetup, script: str, **variables: str
) -> tuple[SpanSink, Collector, ServiceProcess]:
    """Send 200 spans before an outage of the sidecar, 3,000 during the outage, and 100 after."""
    sink = setup.sink()
    sidecar = setup.sidecar(sink)
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": sidecar.otlp}
    service = setup.enter(service_process(script, **SMALL_LIMITS | endpoint | variables))
    service.run("work", 200)
    service.run("flush")
    sidecar.stop()
    service.run("work", 3000)
    service.run("flush")
    sidecar.start().wait_until_ready()
    service.run("work", 100)
    service.run("flush")
    wait_until(lambda: {200, 3300} <= sink.stored, "the spans before and after are not stored")
    return sink, sidecar, service


@fault("the address of the Collector redirects, as an ingress does to https")
def redirected(setup: FaultSetup) -> FaultResult:
    """The service counts each span that the redirection swallows."""
    port = free_port()
    service = _redirected(
        setup,
        "commanded_service.py",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
    )
    assert service.process.poll() is None
    return FaultResult(
        sent=300,
        stored=0,
        dropped=exposed_sum(port, _FAULTS, source="export of traces"),
        observation="counted in otel_meta_faults_total; the warning names the new address",
    )


@control("the same address with OpenTelemetry's SDK alone")
def redirected_plain_sdk(setup: FaultSetup) -> FaultResult:
    """The SDK takes a redirection for success."""
    _redirected(setup, "plain_sdk_service.py")
    return FaultResult(sent=300, stored=0, observation="neither logged nor counted")


def _redirected(setup: FaultSetup, script: str, **variables: str) -> ServiceProcess:
    """Send 300 spans to an address that redirects."""
    ingress = setup.enter(
        RawServer(http("301 Moved Permanently", location="https://collector.example/v1/traces"))
    )
    service = setup.enter(
        service_process(script, OTEL_EXPORTER_OTLP_ENDPOINT=ingress.url, **variables)
    )
    service.run("work", 300)
    service.run("flush")
    return service


@fault("worker killed (kill -9), with counts shared in a directory")
def worker_killed(setup: FaultSetup) -> FaultResult:
    """The other worker exposes all counts of the killed worker."""
    directory = setup.folder / "workers"
    ports = [free_port(), free_port()]
    survivor, killed = (
        setup.enter(
            service_process(
                OTEL_META_MULTIPROCESS_DIR=str(directory),
                OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
            )
        )
        for port in ports
    )
    survivor.run("work", 300)
    killed.run("work", 500)
    killed.kill()
    stored = exposed_sum(ports[0], _EVENTS)
    observation = "the file survives, and the other worker adds the counts of the killed worker"
    return FaultResult(sent=800, stored=stored, observation=observation)


@control("the same with workers that push every 60 s")
def pushing_worker_killed(setup: FaultSetup) -> FaultResult:
    """The counts since the last export are lost."""
    sidecar = setup.sidecar(setup.sink())
    survivor, killed = (
        setup.enter(service_process(OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.otlp)) for _ in range(2)
    )
    survivor.run("work", 300)
    survivor.run("flush")
    killed.run("work", 500)
    killed.kill()
    wait_until(lambda: exposed_sum(sidecar.ports["METRICS"], _EVENTS))
    stored = exposed_sum(sidecar.ports["METRICS"], _EVENTS)
    observation = "the counts since the last export are lost"
    return FaultResult(sent=800, stored=stored, observation=observation)


@fault("two processes behind a sidecar, each with its own instance id")
def own_instance_ids(setup: FaultSetup) -> FaultResult:
    """Each process has its own series, and the sum of the series is right."""
    return _two_processes(setup, "random ids are the default")


@fault("two processes of a machine, with one instance id for both in the environment")
def shared_instance_id(setup: FaultSetup) -> FaultResult:
    """The second process adds a number to the id."""
    attributes = "service.instance.id=one"
    return _two_processes(setup, "the second process adds a number to the id", attributes)


@control("the same with one instance id for both in the sidecar")
def instance_id_of_sidecar(setup: FaultSetup) -> FaultResult:
    """The sidecar exposes the latest export only."""
    observation = "the sidecar exposes the latest export only"
    return _two_processes(setup, observation, INSTANCE="one")


def _two_processes(
    setup: FaultSetup, observation: str, attributes: str = "", **sidecar_options: Any
) -> FaultResult:
    sidecar = setup.sidecar(setup.sink(), **sidecar_options)
    for _ in range(2):
        variables = {"OTEL_RESOURCE_ATTRIBUTES": attributes}
        service = setup.enter(
            service_process(OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.otlp, **variables)
        )
        service.run("work", 300)
        service.run("flush")
    stored = exposed_sum(sidecar.ports["METRICS"], _EVENTS)
    return FaultResult(sent=600, stored=stored, observation=observation)
