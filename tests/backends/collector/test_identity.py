"""What the sidecar's metrics are called, and whose they are."""

from __future__ import annotations

from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from tests.backends.collector.support import NEBULA
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import metrics
from tests.rules.servers import fetch


class TestIdentity:
    def shown(self, sidecar: Collector) -> list[tuple[dict[str, str], float]]:
        """What the sidecar shows of the counter."""
        text = fetch(f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics").decode()
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "calls_total"
        ]

    def record(self, sidecar: Collector, instance: str, calls: int) -> None:
        """One life of a process."""
        with metrics(sidecar.otlp, {**NEBULA, "service.instance.id": instance}) as provider:
            counter = provider.get_meter("test", "1.2.3").create_counter("calls", "{call}")
            counter.add(calls, {"outcome": "ok"})

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [({"INSTANCE": "pod-1"}, {"pod-1": 2.0}), ({}, {"first": 5.0, "second": 2.0})],
        ids=["named", "as the process says"],
    )
    def test_restart(
        self, tmp_path: Path, variables: dict[str, str], expected: dict[str, float]
    ) -> None:
        """A named instance keeps its series over a restart; else processes are kept apart."""
        with Collector("sidecar.yaml", tmp_path / "sidecar", **variables) as sidecar:
            sidecar.wait_until_ready()
            self.record(sidecar, "first", 5)
            self.record(sidecar, "second", 2)
            shown = self.shown(sidecar)

        labels = {
            "job": "nebula-cloud-platform/provisioner",
            "service_namespace": "nebula-cloud-platform",
            "service_name": "provisioner",
            "outcome": "ok",
        }
        assert [(labels | {"instance": i}, value) for i, value in expected.items()] == sorted(
            shown, key=lambda one: one[0]["instance"]
        )

    def test_exemplar(self, tmp_path: Path) -> None:
        """An exemplar leads from a bucket to its trace."""
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
            for family in open_metrics(text)
            for sample in family.samples
            if sample.name == "wait_seconds_bucket" and sample.exemplar
        ]

        assert [trace.format_trace_id(current.get_span_context().trace_id)] == [
            labels["trace_id"] for labels in exemplars
        ]

    def open_metrics(self, sidecar: Collector) -> str:
        """What Prometheus is given when it asks as it does."""
        url = f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics"
        request = Request(url, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            text: str = answer.read().decode()
        return text
