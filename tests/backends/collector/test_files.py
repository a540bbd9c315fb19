"""The committed files, as the real Collector takes them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.backends.collector.support import (
    CONFIG,
)
from tests.backends.collector_server import Collector
from tests.rules.support import tool


class TestFiles:
    @pytest.mark.parametrize(
        "files",
        [["sidecar.yaml"], ["sidecar.yaml", "span-metrics.yaml"], ["gateway.yaml"]],
        ids=str,
    )
    def test_validate(self, files: list[str]) -> None:
        """The Collector finds nothing wrong, with no variable set."""
        configs = [f"--config={CONFIG / name}" for name in files]
        done = subprocess.run(
            [tool("otelcol"), "validate", *configs],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (0, "") == (done.returncode, done.stderr)

    def test_edit(self, tmp_path: Path) -> None:
        """A second file changes what it names: here the one that the page shows."""
        (shown,) = re.findall(r"```yaml\n(.*?)```", (CONFIG / "README.md").read_text(), re.DOTALL)
        with Collector("sidecar.yaml", tmp_path / "sidecar", yaml.safe_load(shown)) as sidecar:
            sidecar.wait_until_ready()
            queues = {labels["data_type"] for labels, _ in sidecar.series("exporter_queue_size")}

        assert {"traces"} == queues

    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_no_warning(self, file: str, tmp_path: Path) -> None:
        """It starts without a warning: nothing is deprecated, nothing is ignored."""
        more = yaml.safe_load((CONFIG / "span-metrics.yaml").read_text())
        change = more if file == "sidecar.yaml" else None
        with Collector(file, tmp_path / "collector", change) as collector:
            collector.wait_until_ready()
        said = [json.loads(line) for line in collector.log().splitlines()]

        # Nobody listens where it sends to, which gRPC says for itself.
        own = [one for one in said if "grpc_log" not in one]
        assert [] == [one["msg"] for one in own if one["level"] in {"warn", "error"}]
        assert "deprecated" not in collector.log().lower()
