from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import otel_meta
from otel_meta import model

MODULES = [
    "otel_meta",
    "otel_meta.measures",
    "otel_meta.model",
    "otel_meta.repos",
    "otel_meta.semconv",
    "otel_meta.typing",
]
HEAVY = ("opentelemetry", "structlog", "orjson", "fastapi", "starlette", "prometheus_client")


def order(name: str) -> tuple[int, list[tuple[str, int]]]:
    """Return the sort key of a name in ``__all__`` (ruff's RUF022): CONSTANTS, Classes, others.

    Within each group, numbers sort by value: a2 before a10.
    """
    group = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return group, [(text, int(number or 0)) for text, number in re.findall(r"(\D+)|(\d+)", name)]


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter and return the heavy packages that it imported."""
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    return set(run.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("module", MODULES)
class TestAll:
    def test_public_names_are_sorted_and_unique(self, module: str) -> None:
        """Public names are sorted, and none comes twice."""
        names = importlib.import_module(module).__all__

        assert sorted(set(names), key=order) == names

    def test_public_names_exist(self, module: str) -> None:
        """Every public name can be imported."""
        imported = importlib.import_module(module)

        assert [] == [name for name in imported.__all__ if not hasattr(imported, name)]


class TestRoot:
    def test_names(self) -> None:
        """The root has few names: each serves most users, and the others have modules."""
        assert [
            "PRESENT",
            "Alert",
            "BurnWindow",
            "Catalog",
            "Counter",
            "Duration",
            "Gauge",
            "Histogram",
            "MetaRepo",
            "NoLabels",
            "Objective",
            "Paths",
            "Recording",
            "SLOTracker",
            "Slo",
            "Telemetry",
            "UpDownCounter",
            "bind",
            "configure",
            "instrument_asgi",
            "instrument_fastapi",
            "instrument_libraries",
            "labels",
            "measures",
            "uninstrument_fastapi",
        ] == otel_meta.__all__

    @pytest.mark.parametrize("module", ["otel_meta.model", "otel_meta.typing"])
    def test_one_object_has_one_public_name(self, module: str) -> None:
        """A name that is public in two modules is the same object in both."""
        other = importlib.import_module(module)
        both = set(otel_meta.__all__) & set(other.__all__)

        assert [] == [name for name in both if getattr(otel_meta, name) is not getattr(other, name)]

    def test_types_agree_with_model(self) -> None:
        """A type for annotations is the class that the model uses."""
        types = importlib.import_module("otel_meta.typing")
        both = set(types.__all__) & set(model.__all__)

        assert [] == [name for name in both if getattr(types, name) is not getattr(model, name)]

    def test_version_is_that_of_the_distribution(self) -> None:
        """The version is read from the installed distribution."""
        assert version("otel_meta") == otel_meta.__version__

    def test_copy_without_metadata_is_importable(self, tmp_path: Path) -> None:
        """A copy of the package without metadata, as in a frozen application, is importable."""
        hide = (
            "import importlib.metadata as metadata\n"
            "find = metadata.Distribution.from_name\n"
            "def from_name(name):\n"
            "    if 'otel' in name and 'meta' in name: raise metadata.PackageNotFoundError(name)\n"
            "    return find(name)\n"
            "metadata.Distribution.from_name = from_name\n"
            "import otel_meta\n"
            "with otel_meta.configure('s', environ={}, log_stream=None):\n"
            "    print(otel_meta.__version__)"
        )
        done = subprocess.run(
            [sys.executable, "-c", hide], cwd=tmp_path, capture_output=True, text=True, check=False
        )

        assert "unknown\n" == done.stdout, done.stderr

    def test_dir_lists_public_names_before_their_import(self) -> None:
        """A shell completes names that nothing has imported yet."""
        names = {*otel_meta.__all__, "errors", "repos", "semconv", "typing", "__version__"}

        assert set() == names - set(dir(otel_meta))

    @pytest.mark.parametrize("module", ["otel_meta", "otel_meta.typing", "otel_meta.testing"])
    def test_dir_lists_no_name_that_a_module_imports_for_itself(self, module: str) -> None:
        """A shell completes no helper of a module's own code."""
        names = dir(importlib.import_module(module))

        assert set() == {"Final", "TYPE_CHECKING", "import_module", "sys"} & set(names)

    @pytest.mark.parametrize(
        ("module", "written", "meant"),
        [
            ("otel_meta", "Countr", "Counter"),
            ("otel_meta.typing", "LiveCountr", "LiveCounter"),
            ("otel_meta.testing", "CapturedTelemetri", "CapturedTelemetry"),
        ],
    )
    def test_misspelt_name_is_answered_with_nearest(
        self, module: str, written: str, meant: str
    ) -> None:
        """Python suggests the nearest public name, imported or not."""
        program = f"import {module} as module; module.{written}"
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=False, text=True, timeout=60
        )

        assert run.stderr.endswith(f"has no attribute '{written}'. Did you mean: '{meant}'?\n")

    def test_submodules_are_attributes(self) -> None:
        """After ``import otel_meta`` alone, the public modules are attributes of the package."""
        program = (
            "import otel_meta as o; print(o.errors.UsageError.__name__, o.semconv.Method, o.repos)"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
        )

        assert run.stdout.startswith("UsageError typing.Literal")

    @pytest.mark.parametrize("module", ["otel_meta", "otel_meta.typing"])
    def test_unknown_name_is_an_attribute_error(self, module: str) -> None:
        """An unknown name raises the error that Python raises for any module."""
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'cofigure'"):
            _ = importlib.import_module(module).cofigure


class TestImports:
    @pytest.mark.parametrize(
        "statement",
        [
            "import otel_meta",
            "import otel_meta.model",
            "import otel_meta.render.artifacts",
            "import otel_meta.repos",
            "import otel_meta.typing",
            "from otel_meta import Counter, MetaRepo, Slo, labels, measures",
            "from otel_meta import semconv, errors",
        ],
    )
    def test_declarations_load_no_opentelemetry(self, statement: str) -> None:
        """Declarations and generators load neither OpenTelemetry nor a web framework."""
        assert set() == loaded_by(statement)

    def test_configure_loads_opentelemetry(self) -> None:
        """The call that needs OpenTelemetry loads it, so the check above can fail."""
        assert "opentelemetry" in loaded_by("from otel_meta import configure")
