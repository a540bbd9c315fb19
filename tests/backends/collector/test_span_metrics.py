"""Checks the span metrics of a real sidecar with span-metrics.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families

from tests.backends.collector.collector_setup import (
    CONFIG,
    FOREIGN,
    NEBULA,
    Eventually,
)
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import send, span
from tests.rules.prometheus_server import fetch
from tests.yaml_files import read_yaml


class TestSpanMetrics:
    def test_only_requests_of_services_without_otel_meta_are_counted(
        self, tmp_path: Path, eventually: Eventually
    ) -> None:
        """Requests of services without otel_meta are counted, other requests are not."""
        change = read_yaml((CONFIG / "span-metrics.yaml").read_text())
        change["connectors"]["span_metrics"]["metrics_flush_interval"] = "100ms"
        with_otel_meta = {**NEBULA, "telemetry.distro.name": "otel_meta"}
        with Collector("sidecar.yaml", tmp_path / "sidecar", change) as sidecar:
            sidecar.wait_until_ready()
            request: dict[str, Any] = {"http__route": "/old", "http__request__method": "GET"}
            spans = [
                span("GET /old", FOREIGN, **request),
                span("GET /new", with_otel_meta, **request),
            ]
            send(sidecar.otlp, *spans, span("inner", FOREIGN, kind=SpanKind.INTERNAL))
            eventually(lambda: self.request_counts(sidecar))
            (sample,) = self.request_counts(sidecar)

        assert 1.0 == sample.value
        expected = {
            "service_namespace": "elsewhere",
            "service_name": "legacy",
            "http_route": "/old",
            "http_request_method": "GET",
            "span_name": "GET /old",
            "span_kind": "SPAN_KIND_SERVER",
            "status_code": "STATUS_CODE_UNSET",
            "job": "elsewhere/legacy",
        }
        assert expected == {**sample.labels}

    def request_counts(self, sidecar: Collector) -> list[Any]:
        """Return the number of requests in each series."""
        text = fetch(f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics").decode()
        return [
            sample
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "traces_span_metrics_duration_seconds_count"
        ]
