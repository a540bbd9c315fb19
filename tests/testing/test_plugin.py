from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from otel_meta import testing
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
    def test_fixture_is_captured_telemetry(self, captured_telemetry: CapturedTelemetry) -> None:
        """The fixture is captured telemetry."""
        assert isinstance(captured_telemetry, CapturedTelemetry)
        assert "service-under-test" == captured_telemetry.telemetry.settings.service_name

    def test_installed_plugin_gives_each_test_new_telemetry(self, tmp_path: Path) -> None:
        """The installed plugin gives each test new telemetry."""
        path = tmp_path / "test_it.py"
        path.write_text(TEST)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            path,
        ]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

        assert 0 == run.returncode, run.stdout + run.stderr
        assert "2 passed" in run.stdout

    def test_plugin_can_be_imported_without_packages_of_extras(self, tmp_path: Path) -> None:
        """The plugin can be imported without the packages of the extras."""
        script = (
            "import sys\n"
            "sys.modules['opentelemetry.proto'] = None\n"
            "import otel_meta.testing.plugin\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert (0, "") == (run.returncode, run.stderr)


class TestPublicNames:
    @pytest.mark.parametrize("name", testing.__all__)
    def test_each_public_name_is_imported_on_first_use_and_listed(self, name: str) -> None:
        """Each public name is imported on first use, and listed."""
        assert name in dir(testing)
        assert name == getattr(testing, name).__name__

    def test_unknown_name_is_attributeerror(self) -> None:
        """An unknown name is an AttributeError."""
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            _ = testing.nothing  # type: ignore[attr-defined]
