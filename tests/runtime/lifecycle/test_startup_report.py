from __future__ import annotations

from typing import Any

import pytest

from otel_meta.runtime.lifecycle.startup_report import startup_report
from otel_meta.runtime.settings import read_settings

URL = "http://collector:4318"


class TestReport:
    @pytest.mark.parametrize(
        ("options", "port", "expected"),
        [
            (
                {},
                None,
                (
                    "telemetry of maps: metrics on /metrics after instrument_fastapi(app), "
                    "traces not exported, logs to standard output"
                ),
            ),
            (
                {"namespace": "atlas", "prometheus_host": "0.0.0.0"},
                9464,
                (
                    "telemetry of maps (atlas): metrics on http://0.0.0.0:9464/metrics, traces not "
                    "exported, logs to standard output"
                ),
            ),
            (
                {"otlp_endpoint": "http://user:secret@collector:4318/base"},
                None,
                (
                    f"telemetry of maps: metrics to {URL}, traces to {URL}, logs to standard "
                    f"output and to {URL}"
                ),
            ),
            (
                {"traces": ("otlp", "console"), "metrics": "none"},
                None,
                (
                    "telemetry of maps: metrics not exported, traces to http://localhost:4318 and "
                    "to console, logs to standard output"
                ),
            ),
            (
                {"traces": "otlp", "environ": {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}},
                None,
                (
                    "telemetry of maps: metrics on /metrics after instrument_fastapi(app), "
                    "traces to http://localhost:4317, logs to standard output"
                ),
            ),
            (
                {"environ": {"OTEL_META_MULTIPROCESS_DIR": "/dev/shm/maps"}},
                None,
                (
                    "telemetry of maps: metrics on /metrics after instrument_fastapi(app), traces "
                    "not exported, logs to standard output; workers share /dev/shm/maps"
                ),
            ),
            (
                {"environ": {"OTEL_SDK_DISABLED": "true"}},
                None,
                "telemetry of maps is disabled by OTEL_SDK_DISABLED",
            ),
        ],
    )
    def test_report_names_service_and_target_of_each_signal(
        self, options: dict[str, Any], port: int | None, expected: str
    ) -> None:
        """The report names the service and the target of each signal, without secrets."""
        settings = read_settings("maps", **{"environ": {}, **options})

        assert expected == startup_report(settings, port, "standard output")

    def test_report_names_native_core(self) -> None:
        """The report says if the native core records."""
        settings = read_settings("maps", environ={})

        assert startup_report(settings, None, None, is_native=True).endswith("; recording in C")

    def test_report_claims_no_log_lines_of_telemetry_without_stream(self) -> None:
        """Without a stream, the application writes the log lines, and the report claims none."""
        settings = read_settings("maps", environ={})

        assert startup_report(settings, None, None).endswith(", logs not exported")
