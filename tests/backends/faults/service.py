"""What may happen to a service, and to what it can do about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from otel_meta.testing.loopback import free_port
from tests.backends.faults.stage import Stage, control, fault, until
from tests.backends.ledger import Row
from tests.backends.otlp import Sink
from tests.backends.pipeline import Collector
from tests.conftest import environment
from tests.rules.pinned_tools import ROOT
from tests.rules.prometheus_server import fetch

_FOLDER = Path(__file__).parent
_WORK = "events_processed_total"
SHORT = {
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_BSP_MAX_QUEUE_SIZE": "512",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "128",
    "OTEL_METRIC_EXPORT_INTERVAL": "200",
}
"""The SDK's limits, made short enough to be reached."""


class Program:
    """A service in a process of its own."""

    def __init__(self, script: str, given: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, _FOLDER / script],
            cwd=ROOT,
            env=environment(given) | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def does(self, deed: str, many: int = 0) -> None:
        """Have it do something, and return when it is done with it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(deed, many, file=self.process.stdin, flush=True)
        assert "done\n" == self.process.stdout.readline(), "the service has ended"

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def program(script: str = "program.py", **given: str) -> Iterator[Program]:
    """A service, for as long as the context is open."""
    running = Program(script, given)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def shown(port: int, name: str, **labels: str) -> int:
    """What /metrics of a port shows of a metric, added up."""
    text = fetch(f"http://127.0.0.1:{port}/metrics").decode()
    samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
    return round(
        sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())
    )


@fault("Collector down for longer than a service retries")
def collector_down(stage: Stage) -> Row:
    """The service goes on; spans are dropped and counted, metrics are complete afterwards."""
    sink, sidecar, service = _cut_off(stage, "program.py")
    port = sidecar.ports["METRICS"]
    until(lambda: shown(port, _WORK) == 3300, "the counter does not catch up")
    until(lambda: shown(port, "otel_meta_faults_total", source="export of traces") > 0)
    dropped = shown(port, "otel_meta_faults_total", source="export of traces")
    assert service.process.poll() is None
    return Row(
        sent=3300,
        stored=len(sink.stored),
        dropped=dropped,
        doubled=sink.doubled,
        seen="counted in otel_meta_faults_total; counters are complete at the next export",
    )


@control("the same with OpenTelemetry's SDK alone")
def collector_down_stock(stage: Stage) -> Row:
    """What the queue has no room for is not counted anywhere by default."""
    sink, *_ = _cut_off(stage, "stock.py")
    seen = "logged now and then, not counted"
    return Row(sent=3300, stored=len(sink.stored), doubled=sink.doubled, seen=seen)


def _cut_off(stage: Stage, script: str) -> tuple[Sink, Collector, Program]:
    sink = stage.sink()
    sidecar = stage.sidecar(sink)
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": sidecar.otlp}
    service = stage.enter(program(script, **SHORT, **endpoint))
    service.does("work", 200)
    service.does("flush")
    sidecar.stop()
    service.does("work", 3000)
    service.does("flush")
    sidecar.start().wait_until_ready()
    service.does("work", 100)
    service.does("flush")
    until(lambda: {200, 3300} <= sink.stored)
    return sink, sidecar, service


@fault("worker killed (kill -9), numbers shared in a directory")
def worker_killed(stage: Stage) -> Row:
    """The other workers know what it had counted, to the last event."""
    directory = stage.folder / "workers"
    ports = [free_port(), free_port()]
    one, other = (
        stage.enter(
            program(
                OTEL_META_MULTIPROCESS_DIR=str(directory),
                OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
            )
        )
        for port in ports
    )
    one.does("work", 300)
    other.does("work", 500)
    other.kill()
    stored = shown(ports[0], _WORK)
    return Row(sent=800, stored=stored, seen="its file outlives it, and is counted in")


@control("the same with workers that push every 60 s")
def worker_killed_pushing(stage: Stage) -> Row:
    """What it had not yet exported is gone."""
    sidecar = stage.sidecar(stage.sink())
    one, other = (stage.enter(program(OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.otlp)) for _ in range(2))
    one.does("work", 300)
    one.does("flush")
    other.does("work", 500)
    other.kill()
    until(lambda: shown(sidecar.ports["METRICS"], _WORK))
    stored = shown(sidecar.ports["METRICS"], _WORK)
    return Row(sent=800, stored=stored, seen="what it counted since its last export is gone")


@fault("two processes behind a sidecar, each with an instance id of its own")
def own_instances(stage: Stage) -> Row:
    """Each has its own series, and their sum is right: that is the default."""
    return _two_instances(stage, "random ids are the default", "", "")


@control("the same with one instance id for both")
def shared_instance(stage: Stage) -> Row:
    """The sidecar shows whoever came last."""
    named = "service.instance.id=one"
    return _two_instances(stage, "the sidecar shows whoever came last", named, named)


def _two_instances(stage: Stage, seen: str, *named: str) -> Row:
    sidecar = stage.sidecar(stage.sink())
    for attributes in named:
        given = {"OTEL_RESOURCE_ATTRIBUTES": attributes}
        service = stage.enter(program(OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.otlp, **given))
        service.does("work", 300)
        service.does("flush")
    return Row(sent=600, stored=shown(sidecar.ports["METRICS"], _WORK), seen=seen)
