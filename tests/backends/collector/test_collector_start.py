"""Starts a real Collector with the committed files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.backends.collector.collector_setup import AURORA, CONFIG, Eventually
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import log_exporter
from tests.yaml_files import read_yaml


class TestCollectorStart:
    @pytest.mark.parametrize(
        ("variables", "queues"),
        [({}, {"traces"}), ({"LOG_EXPORTER": "load_balancing"}, {"traces", "logs"})],
        ids=["by default", "with a log exporter"],
    )
    def test_log_records_have_queue_only_with_log_exporter(
        self, variables: dict[str, Any], queues: set[str], tmp_path: Path
    ) -> None:
        """Log records reach the disk of a sidecar only if a variable names their exporter."""
        with Collector("sidecar.yaml", tmp_path / "sidecar", **variables) as sidecar:
            sidecar.wait_until_ready()
            found = {labels["data_type"] for labels, _ in sidecar.series("exporter_queue_size")}

        assert queues == found

    def test_gateway_sends_log_records_to_log_store_of_variables(
        self, tmp_path: Path, sink: OtlpReceiver, eventually: Eventually
    ) -> None:
        """Three variables send log records through a sidecar and a gateway to a log store."""
        logs: dict[str, Any] = {
            "GATEWAY_LOG_EXPORTER": "otlp_http/log_store",
            "LOG_STORE": sink.endpoint,
        }
        with Collector("gateway.yaml", tmp_path / "gateway", **logs) as gateway:
            gateway.wait_until_ready()
            to_gateway: dict[str, Any] = {
                "LOG_EXPORTER": "load_balancing",
                "GATEWAY_PORT": gateway.ports["GATEWAY"],
            }
            with Collector("sidecar.yaml", tmp_path / "sidecar", **to_gateway) as sidecar:
                sidecar.wait_until_ready()
                self.log(sidecar, "order stored")
                eventually(sink.log_records)

        assert ["order stored"] == [record.body.string_value for record in sink.log_records()]

    def log(self, sidecar: Collector, body: str) -> None:
        """Send a log record to a sidecar."""
        provider = LoggerProvider(Resource(AURORA))
        exporter = log_exporter(sidecar.otlp)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        provider.get_logger("test").emit(body=body)
        provider.shutdown()

    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_collector_logs_no_warning(self, file: str, tmp_path: Path) -> None:
        """The Collector logs no warning, in particular about deprecated or ignored settings."""
        span_metrics = read_yaml((CONFIG / "span-metrics.yaml").read_text())
        change = span_metrics if file == "sidecar.yaml" else None
        with Collector(file, tmp_path / "collector", change) as collector:
            collector.wait_until_ready()
        records = [json.loads(line) for line in collector.log().splitlines()]

        # gRPC warns that no server listens at the exporter's address.
        own = [record for record in records if "grpc_log" not in record]
        assert [] == [record["msg"] for record in own if record["level"] in {"warn", "error"}]
        assert "deprecated" not in collector.log().lower()
