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
                    "telemetry of maps: traces nowhere, metrics on /metrics once an app is "
                    "instrumented, logs as lines"
                ),
            ),
            (
                {"namespace": "atlas", "prometheus_host": "0.0.0.0"},
                9464,
                (
                    "telemetry of maps (atlas): traces nowhere, metrics on http://0.0.0.0:9464/metrics,"
                    " logs as lines"
                ),
            ),
            (
                {"otlp_endpoint": "http://user:secret@collector:4318/base"},
                None,
                f"telemetry of maps: traces to {URL}, metrics to {URL}, logs as lines and to {URL}",
            ),
            (
                {"traces": ("otlp", "console"), "metrics": "none"},
                None,
                (
                    "telemetry of maps: traces to http://localhost:4318 and to console, metrics "
                    "nowhere, logs as lines"
                ),
            ),
            (
                {"traces": "otlp", "environ": {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}},
                None,
                (
                    "telemetry of maps: traces to http://localhost:4317, metrics on /metrics once "
                    "an app is instrumented, logs as lines"
                ),
            ),
            (
                {"environ": {"OTEL_META_MULTIPROCESS_DIR": "/dev/shm/maps"}},
                None,
                (
                    "telemetry of maps: traces nowhere, metrics on /metrics once an app is "
                    "instrumented, logs as lines; workers share /dev/shm/maps"
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

        assert expected == startup_report(settings, port)
