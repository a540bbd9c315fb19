from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.examples.conftest import Samples

    Run = Callable[..., subprocess.CompletedProcess[str]]

JOB = "examples/batch_job.py"
STAGES = ("extract", "transform", "load")


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What the job logged."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def pushed(sink: OtlpReceiver, name: str) -> list[dict[str, Any]]:
    """The points of a metric as they were pushed last: labels, and the value."""
    metric = [metric for metric in sink.metrics() if metric.name == name][-1]
    return [
        {attribute.key: attribute.value.string_value for attribute in point.attributes}
        | {"value": point.as_double or point.as_int}
        for point in metric.sum.data_points
    ]


def happened(sink: OtlpReceiver, name: str, label: str) -> dict[str, float]:
    """What a counter counted, by a label; what never happened is left out."""
    return {point[label]: point["value"] for point in pushed(sink, name) if point["value"]}


def task_states(sink: OtlpReceiver) -> dict[str, str]:
    """How each task ended."""
    points = pushed(sink, "airflow.task.runs")
    return {point["task"]: point["state"] for point in points if point["value"]}


def read_until(words: bytes, stream: Any) -> None:
    """Read lines until one has these words."""
    while words not in (line := stream.readline()):
        assert line


class TestSuccess:
    def test_exit(self, run: Run) -> None:
        """A run that succeeds exits with 0, and tells every stage within one trace."""
        done = run(JOB)
        logged = lines(done)

        assert (0, "") == (done.returncode, done.stderr)
        assert list(STAGES) == [line["task"] for line in logged if line["event"] == "task done"]
        assert "success" == logged[-1]["outcome"]
        assert 1 == len({line["trace_id"] for line in logged})

    def test_pushed(self, run: Run) -> None:
        """What a short run recorded is pushed before it exits, its span too."""
        with OtlpReceiver() as sink:
            done = run(JOB, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

        assert 0 == done.returncode
        assert {"success": 1} == happened(sink, "pipeline.runs", "outcome")
        assert dict.fromkeys(STAGES, "success") == task_states(sink)
        assert dict.fromkeys(STAGES, 1000) == happened(sink, "pipeline.records.processed", "stage")
        assert {"read", "written"} == set(happened(sink, "data.volume", "direction"))
        assert {"column_added": 1} == happened(sink, "data.schema.changes.detected", "change")
        assert 5 == len(happened(sink, "data.quality.check.success", "check"))
        assert ["nightly-orders"] == [received.span.name for received in sink.spans()]


class TestFailure:
    def test_exit(self, run: Run) -> None:
        """A run that fails exits with 1 and says why, with frames and without a crash."""
        done = run(JOB, "--fail")
        (failed,) = (line for line in lines(done) if line["event"] == "task failed")

        assert (1, "") == (done.returncode, done.stderr)
        assert "transform" == failed["task"]
        assert "orders_export failed not_null" == failed["exception"][0]["exc_value"]
        assert "failure" == lines(done)[-1]["outcome"]

    def test_pushed(self, run: Run) -> None:
        """What failed is counted once, what waited for it as such, and good checks still."""
        with OtlpReceiver() as sink:
            run(JOB, "--fail", OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

        assert {"failure": 1} == happened(sink, "pipeline.runs", "outcome")
        states = {"extract": "success", "transform": "failed", "load": "upstream_failed"}
        assert states == task_states(sink)
        checks = happened(sink, "data.quality.checks", "check")
        passed = happened(sink, "data.quality.check.success", "check")
        assert {"not_null"} == set(checks) - set(passed)

    def test_no_endpoint(self, run: Run) -> None:
        """With nobody at the endpoint, the job's exit code is its own, and it is not late."""
        nowhere = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_META_SHUTDOWN_TIMEOUT": "0.5",
        }
        started = time.monotonic()

        done = run(JOB, **nowhere)

        assert 0 == done.returncode
        assert time.monotonic() - started < 5
        assert "telemetry did not finish within 0.5 s" in done.stdout


class TestServe:
    def test_scraped(self, samples: Callable[[str], Samples]) -> None:
        """With --serve, a Prometheus can scrape it until it is told to stop."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, JOB, "--serve", "30", "--port", str(port)]
        url = f"http://127.0.0.1:{port}/metrics"
        with subprocess.Popen(command, stdout=subprocess.PIPE) as job:
            assert job.stdout is not None
            read_until(b"pipeline ended", job.stdout)
            shown = samples(httpx.get(url, trust_env=False).text)
            job.send_signal(signal.SIGTERM)

        assert 128 + signal.SIGTERM == job.returncode
        assert 1 == shown.value("pipeline_runs_total", outcome="success")
        assert 7200 == pytest.approx(shown.value("data_freshness_lag_seconds"), abs=60)
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
