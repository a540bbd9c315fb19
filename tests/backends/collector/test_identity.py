"""Checks the identity labels and the exemplars of the sidecar's metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from otel_meta.testing.loopback import open_url
from tests.backends.collector.collector_setup import NEBULA
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import metrics
from tests.rules.prometheus_server import fetch


class TestIdentity:
    def samples(self, sidecar: Collector) -> list[tuple[dict[str, str], float]]:
        """Return the counter's samples on the sidecar's /metrics."""
        text = fetch(f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics").decode()
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "calls_total"
        ]

    def record(self, sidecar: Collector, instance: str, calls: int) -> None:
        """Record calls as a process that starts and ends."""
        with metrics(sidecar.otlp, {**NEBULA, "service.instance.id": instance}) as provider:
            counter = provider.get_meter("test", "1.2.3").create_counter("calls", "{call}")
            counter.add(calls, {"outcome": "ok"})

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [({"INSTANCE": "pod-1"}, {"pod-1": 2.0}), ({}, {"first": 5.0, "second": 2.0})],
        ids=["set by variable", "set by process"],
    )
    def test_instance_variable_joins_series_of_two_processes(
        self, tmp_path: Path, variables: dict[str, Any], expected: dict[str, float]
    ) -> None:
        """The variable INSTANCE joins the series of two processes, which are otherwise separate."""
        with Collector("sidecar.yaml", tmp_path / "sidecar", **variables) as sidecar:
            sidecar.wait_until_ready()
            self.record(sidecar, "first", 5)
            self.record(sidecar, "second", 2)
            samples = self.samples(sidecar)

        labels = {
            "job": "nebula-cloud-platform/provisioner",
            "service_namespace": "nebula-cloud-platform",
            "service_name": "provisioner",
            "outcome": "ok",
        }
        assert [(labels | {"instance": i}, value) for i, value in expected.items()] == sorted(
            samples, key=lambda sample: sample[0]["instance"]
        )

    def test_exemplar_of_bucket_has_id_of_its_trace(self, tmp_path: Path) -> None:
        """An exemplar of a bucket has the id of its trace."""
        with Collector("sidecar.yaml", tmp_path / "sidecar") as sidecar:
            sidecar.wait_until_ready()
            tracer = TracerProvider().get_tracer("test")
            with metrics(sidecar.otlp, NEBULA) as provider:
                wait = provider.get_meter("test").create_histogram("wait", "s")
                with tracer.start_as_current_span("waiting") as current:
                    wait.record(0.2)
            text = self.open_metrics(sidecar)
        exemplars = [
            sample.exemplar.labels
            for family in open_metrics(text)  # type: ignore[no-untyped-call]  # not annotated
            for sample in family.samples
            if sample.name == "wait_seconds_bucket" and sample.exemplar
        ]

        assert [trace.format_trace_id(current.get_span_context().trace_id)] == [
            labels["trace_id"] for labels in exemplars
        ]

    def open_metrics(self, sidecar: Collector) -> str:
        """Return the sidecar's /metrics in the format that Prometheus accepts."""
        url = f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics"
        request = Request(url, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        with open_url(request, timeout=10) as answer:
            text: str = answer.read().decode()
        return text
