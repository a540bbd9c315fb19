"""Ends of a job, with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from otel_meta.testing import OtlpReceiver
from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, environment

JOB = """
from otel_meta import Counter, MetaRepo, NoLabels, configure

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    '''Map tiles.'''

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)

with configure("maps", Atlas, job=True) as telemetry:
    telemetry.bind(Atlas).tiles.add(2)
"""
WAITS = "this job waits"


def started(folder: Path, endpoint: str) -> subprocess.Popen[str]:
    """Start a job whose wait for a scrape is longer than a test."""
    program = folder / "job.py"
    program.write_text(JOB)
    return subprocess.Popen(
        [sys.executable, program],
        env=environment(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                "OTEL_META_SCRAPE_INTERVAL": "600",
                "TMPDIR": str(folder),
            }
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def deltas(sink: OtlpReceiver) -> list[float]:
    """Return the counts of tiles that arrived, in order."""
    metrics = [metric for metric in sink.metrics() if metric.name == "atlas.tiles"]
    return [point.as_double for metric in metrics for point in metric.sum.data_points]


def test_signal_ends_wait_and_counts_are_delivered(tmp_path: Path) -> None:
    """A signal ends the wait of a job, its counts follow their zero, and no directory is left."""
    with OtlpReceiver() as sink:
        job = started(tmp_path, sink.endpoint)
        assert job.stdout is not None
        assert any(WAITS in line for line in job.stdout)
        job.send_signal(signal.SIGTERM)
        job.communicate(timeout=PATIENCE)

        zero, *counts = deltas(sink)
        assert (-signal.SIGTERM, 0, 2) == (job.returncode, zero, sum(counts))
        assert ["job.py"] == [path.name for path in tmp_path.iterdir()]


def test_interrupt_during_wait_delivers_counts(tmp_path: Path) -> None:
    """Ctrl-C during the wait ends it, and the counts are delivered before the exception."""
    with OtlpReceiver() as sink:
        job = started(tmp_path, sink.endpoint)
        assert job.stdout is not None
        assert any(WAITS in line for line in job.stdout)
        job.send_signal(signal.SIGINT)
        output, _ = job.communicate(timeout=PATIENCE)

        assert (2, True) == (sum(deltas(sink)), "KeyboardInterrupt" in output)


def test_job_without_collector_counts_loss_and_does_not_wait(tmp_path: Path) -> None:
    """A job that reaches no Collector logs what is lost, and does not wait for a scrape."""
    job = started(tmp_path, f"http://127.0.0.1:{free_port()}")
    output, _ = job.communicate(timeout=PATIENCE)

    is_counted, has_waited = "lost: exports of metrics" in output, WAITS in output
    assert (0, True, False) == (job.returncode, is_counted, has_waited)


def test_resource_of_metrics_identifies_service_alone(tmp_path: Path) -> None:
    """The resource of the metrics identifies the service, and no process: all runs add up."""
    with OtlpReceiver() as sink:
        job = started(tmp_path, sink.endpoint)
        assert job.stdout is not None
        assert any(WAITS in line for line in job.stdout)
        job.terminate()
        job.communicate(timeout=PATIENCE)
        resources = [
            {each.key: each.value.string_value for each in found.resource.attributes}
            for request in sink.requests_of(ExportMetricsServiceRequest)
            for found in request.resource_metrics
        ]

        expected = {"service.name": "maps", "service.namespace": "atlas-maps"}
        assert [expected] * len(resources) == resources
