from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_meta.runtime.environment.variable import Environment
from otel_meta.runtime.recording.native.native_core import load
from tests.runtime.recording.native_build import native_folder

RECORDS = """
import sys
from otel_meta import Counter, MetaRepo, NoLabels
from otel_meta.runtime.recording.native.native_core import NATIVE
from otel_meta.testing import capture

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)

with capture("maps", Atlas, environ={"OTEL_META_MULTIPROCESS_DIR": sys.argv[0] + ".numbers"}) as it:
    it.bind(Atlas).tiles.add(AMOUNT)
    print(NATIVE is not None, *[
        line.split()[-1] for line in it.prometheus_text().splitlines()
        if line.startswith("atlas_tiles_total{")
    ])
"""

CONFIGURES = """
import otel_meta
from otel_meta import Counter, MetaRepo, NoLabels

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)

for _ in range(2):
    telemetry = otel_meta.configure("maps", Atlas, prometheus_port=None, log_format="json")
    telemetry.bind(Atlas).tiles.add(1)
    telemetry.shutdown()
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], str]:
    """Function that makes a module with the name of the native core; returns the path to import."""

    def make(source: str) -> str:
        tmp_path.joinpath("otel_meta_native.py").write_text(source)
        return python_path(tmp_path)

    return make


def python_path(folder: Path) -> str:
    """Return a search path with a folder before those of this process."""
    return os.pathsep.join((str(folder), *filter(None, sys.path)))


class TestChoice:
    def test_variable_chooses_python_core(self) -> None:
        """The variable chooses the Python core, whatever is installed."""
        assert load(Environment({"OTEL_META_NATIVE_CORE": "false"})) is None

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("INTERFACE = 0", "has the interface 0, but this otel_meta needs 1"),
            ("raise ImportError('libc is too old')", "cannot be loaded: libc is too old"),
            ("import absent_module", "cannot be loaded: No module named 'absent_module'"),
        ],
    )
    def test_unusable_core_is_one_warning_at_each_start(
        self,
        script: Callable[..., Any],
        stand_in: Callable[[str], str],
        source: str,
        words: str,
    ) -> None:
        """A core that cannot be used is one warning at the start, and Python records."""
        run = script(CONFIGURES, PYTHONPATH=stand_in(source))

        assert 0 == run.code, run.stderr
        assert ["warning", "warning"] == [
            line["level"] for line in run.lines if words in line["event"]
        ]
        assert [] == run.events("recording in C")

    def test_report_at_start_names_native_core(self, script: Callable[..., Any]) -> None:
        """The report at the start of telemetry says that the native core records."""
        run = script(CONFIGURES, PYTHONPATH=python_path(native_folder()))

        assert 2 == len(run.events("recording in C")), run.stderr


class TestSharedDirectory:
    def test_workers_with_different_cores_share_a_directory(
        self, script: Callable[..., Any], tmp_path: Path
    ) -> None:
        """Workers with different cores share a directory, and the total has both."""
        path = python_path(native_folder())
        source = RECORDS.replace("sys.argv[0]", repr(str(tmp_path / "service")))
        runs = [
            script(source.replace("AMOUNT", amount), PYTHONPATH=path, OTEL_META_NATIVE_CORE=core)
            for core, amount in (("true", "1"), ("false", "2"), ("true", "4"))
        ]

        assert ["True 1.0", "False 3.0", "True 7.0"] == [run.stdout.strip() for run in runs]
