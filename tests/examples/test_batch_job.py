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
    """Return the log lines of the job, without those of otel_meta."""
    logged = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in logged if line["logger"] != "otel_meta"]


def pushed(sink: OtlpReceiver, name: str) -> list[dict[str, Any]]:
    """Return labels and value of each point in the last export of a metric."""
    metric = [metric for metric in sink.metrics() if metric.name == name][-1]
    return [
        {attribute.key: attribute.value.string_value for attribute in point.attributes}
        | {"value": point.as_double or point.as_int}
        for point in metric.sum.data_points
    ]


def happened(sink: OtlpReceiver, name: str, label: str) -> dict[str, float]:
    """Return the values of a counter by a label, without zeros."""
    return {point[label]: point["value"] for point in pushed(sink, name) if point["value"]}


def task_states(sink: OtlpReceiver) -> dict[str, str]:
    """Return the final state of each task."""
    points = pushed(sink, "airflow.task.runs")
    return {point["task"]: point["state"] for point in points if point["value"]}


def read_until(words: bytes, stream: Any) -> None:
    """Read lines until a line contains a text."""
    while words not in (line := stream.readline()):
        assert line


class TestSuccess:
    def test_successful_run_has_exit_code_0_and_log_line(self, run: Run) -> None:
        """A successful run has exit code 0 and a log line for each stage in one trace."""
        done = run(JOB)
        logged = lines(done)

        assert (0, "") == (done.returncode, done.stderr)
        assert list(STAGES) == [line["task"] for line in logged if line["event"] == "task done"]
        assert "success" == logged[-1]["outcome"]
        assert 1 == len({line["trace_id"] for line in logged})

    def test_metrics_and_span_of_short_run_are_exported_before(self, run: Run) -> None:
        """Metrics and the span of a short run are exported before its end."""
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
    def test_failed_run_has_exit_code_1_and_log_line(self, run: Run) -> None:
        """A failed run has exit code 1 and a log line with the exception."""
        done = run(JOB, "--fail")
        (failed,) = (line for line in lines(done) if line["event"] == "task failed")

        assert (1, "") == (done.returncode, done.stderr)
        assert "transform" == failed["task"]
        assert "orders_export failed not_null" == failed["exception_message"]
        assert "failure" == lines(done)[-1]["outcome"]

    def test_failed_task_its_dependent_tasks_and_passed_checks_are_counted(self, run: Run) -> None:
        """A failed task, its dependent tasks and passed checks are counted."""
        with OtlpReceiver() as sink:
            run(JOB, "--fail", OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

        assert {"failure": 1} == happened(sink, "pipeline.runs", "outcome")
        states = {"extract": "success", "transform": "failed", "load": "upstream_failed"}
        assert states == task_states(sink)
        checks = happened(sink, "data.quality.checks", "check")
        passed = happened(sink, "data.quality.check.success", "check")
        assert {"not_null"} == set(checks) - set(passed)

    def test_without_listener_at_endpoint_job_ends_in_time(self, run: Run) -> None:
        """Without a listener at the endpoint, the job ends in time with its own exit code."""
        nowhere = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_META_SHUTDOWN_TIMEOUT": "0.5",
        }
        started = time.monotonic()

        done = run(JOB, **nowhere)

        assert 0 == done.returncode
        assert time.monotonic() - started < 5
        assert "nobody listens there" in done.stdout


class TestServe:
    def test_with_serve_job_can_be_scraped_until_sigterm(
        self, samples: Callable[[str], Samples]
    ) -> None:
        """With --serve, the job can be scraped until SIGTERM."""
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

        assert -signal.SIGTERM == job.returncode
        assert 1 == shown.value("pipeline_runs_total", outcome="success")
        assert 7200 == pytest.approx(shown.value("data_freshness_lag_seconds"), abs=60)
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
