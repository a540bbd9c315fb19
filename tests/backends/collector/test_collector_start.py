"""Starts a real Collector with the committed files."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.backends.collector.collector_setup import (
    CONFIG,
)
from tests.backends.collector_server import Collector
from tests.rules.pinned_tools import tool


class TestCollectorStart:
    @pytest.mark.parametrize(
        "files",
        [["sidecar.yaml"], ["sidecar.yaml", "span-metrics.yaml"], ["gateway.yaml"]],
        ids=str,
    )
    def test_committed_files_are_valid_without_environment_variables(
        self, files: list[str]
    ) -> None:
        """The committed files are valid without environment variables."""
        configs = [f"--config={CONFIG / name}" for name in files]
        done = subprocess.run(
            [tool("otelcol"), "validate", *configs],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (0, "") == (done.returncode, done.stderr)

    def test_second_file_of_readme_removes_logs_exporter(self, tmp_path: Path) -> None:
        """The second file of the README removes the logs exporter."""
        (example,) = re.findall(r"```yaml\n(.*?)```", (CONFIG / "README.md").read_text(), re.DOTALL)
        with Collector("sidecar.yaml", tmp_path / "sidecar", yaml.safe_load(example)) as sidecar:
            sidecar.wait_until_ready()
            queues = {labels["data_type"] for labels, _ in sidecar.series("exporter_queue_size")}

        assert {"traces"} == queues

    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_collector_logs_no_warning(self, file: str, tmp_path: Path) -> None:
        """The Collector logs no warning, in particular about deprecated or ignored settings."""
        span_metrics = yaml.safe_load((CONFIG / "span-metrics.yaml").read_text())
        change = span_metrics if file == "sidecar.yaml" else None
        with Collector(file, tmp_path / "collector", change) as collector:
            collector.wait_until_ready()
        records = [json.loads(line) for line in collector.log().splitlines()]

        # gRPC warns that no server listens at the exporter's address.
        own = [record for record in records if "grpc_log" not in record]
        assert [] == [record["msg"] for record in own if record["level"] in {"warn", "error"}]
        assert "deprecated" not in collector.log().lower()
