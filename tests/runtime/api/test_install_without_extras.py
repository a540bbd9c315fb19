"""An installation without extras, which has OpenTelemetry's API and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Run

ROOT = Path(__file__).parents[3]
HIDDEN = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"structlog", "orjson"} or name == "opentelemetry.sdk":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
"""
LIBRARY = """
import otel_meta
from otel_meta import Counter, Histogram, MetaRepo, NoLabels

class Library(MetaRepo, name="library", owner="team", tier=2):
    '''A library.'''
    jobs = Counter("lib.jobs", "Jobs that were done.", NoLabels)
    time = Histogram("lib.job.time", "Time of jobs.", NoLabels, unit="s", buckets=(0.1, 1))

live = otel_meta.bind(Library)
"""
PROVIDER = """
from opentelemetry import metrics

class Counter(metrics.NoOpCounter):
    def add(self, amount, attributes=None, context=None): print(self.name, amount)

class Meter(metrics.NoOpMeter):
    def create_counter(self, name, unit="", description=""):
        made = Counter(name, unit, description)
        made.name = name
        return made

class Provider(metrics.NoOpMeterProvider):
    def get_meter(self, name, *args, **options): return Meter(name)

metrics.set_meter_provider(Provider())
"""


class TestApiAlone:
    def test_dependencies_are_the_api(self) -> None:
        """The package depends on OpenTelemetry's API alone."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

        assert ["opentelemetry-api>=1.45"] == project["dependencies"]

    def test_library_binds_and_records(self, script: Callable[..., Run]) -> None:
        """A library declares, binds and records into whatever provider the process sets."""
        run = script(
            f"{HIDDEN}{LIBRARY}{PROVIDER}"
            "live.jobs.add(2)\n"
            "with live.time.time(): pass\n"
            "live.jobs.with_labels().add(3)\n"
        )

        assert (0, "") == (run.code, run.stderr)
        assert ["lib.jobs 0.0", "lib.jobs 2.0", "lib.jobs 3.0"] == [
            line for line in run.stdout.splitlines() if line.startswith("lib")
        ]

    def test_invalid_variable_of_the_sdk_is_harmless(self, script: Callable[..., Run]) -> None:
        """A variable with which the SDK could not be imported changes nothing."""
        run = script(f"{HIDDEN}{LIBRARY}", OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="-1")

        assert (0, "", "") == (run.code, run.stdout, run.stderr)

    def test_dropped_measurements_are_one_line(self, script: Callable[..., Run]) -> None:
        """Without any provider, one line says that measurements are dropped."""
        run = script(f"{HIDDEN}{LIBRARY}for _ in range(3): live.jobs.add(1)\n")

        assert 0 == run.code
        assert 1 == len(run.stderr.splitlines())
        assert run.stderr.startswith("lib.jobs: measurements are dropped, because this process has")

    @pytest.mark.parametrize(
        "name", ["otel_meta.configure", "otel_meta.Telemetry", "otel_meta.testing.capture"]
    )
    def test_name_that_needs_the_sdk_says_what_to_install(
        self, name: str, script: Callable[..., Run]
    ) -> None:
        """What needs the SDK is answered with one line and the pip command."""
        run = script(f"{HIDDEN}import otel_meta.testing\n{name}\n")

        expected = f"otel_meta.errors.MissingExtra: {name} needs: pip install 'otel_meta[sdk]'"
        assert expected == run.stderr.splitlines()[-1]
