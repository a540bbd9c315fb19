from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from otel_meta.testing import CapturedTelemetry

TEST = """
import structlog


def test_first(captured_telemetry):
    structlog.get_logger("a").info("said")
    assert ["said"] == [line["event"] for line in captured_telemetry.logs()]


def test_second(captured_telemetry):
    assert [] == captured_telemetry.logs()
"""


class TestFixture:
    def test_given(self, captured_telemetry: CapturedTelemetry) -> None:
        """Whoever asks for it is given captured telemetry."""
        assert isinstance(captured_telemetry, CapturedTelemetry)
        assert "service-under-test" == captured_telemetry.telemetry.settings.service_name

    def test_installed(self, tmp_path: Path) -> None:
        """Installing the package is enough for pytest to know it, anew for each test."""
        path = tmp_path / "test_it.py"
        path.write_text(TEST)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

        assert 0 == run.returncode, run.stdout + run.stderr
        assert "2 passed" in run.stdout
