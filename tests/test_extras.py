from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import get_args

import pytest
from packaging.requirements import Requirement

from otel_meta.errors import ConfigurationError, MissingExtra
from otel_meta.extras import PACKAGES, Extra, ExtraImports

ROOT = Path(__file__).parent.parent
DEPENDENCIES: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())[
    "project"
]["optional-dependencies"]

# A misspelt import of a module of our own, and what then runs into it.
BROKEN = {
    "check": ("check/rule_lint.py", "from .documentz import documents", ["check", "--rules", "."]),
    "generate": ("render/artifacts.py", "from .stacks import stack_files", ["generate", "--check"]),
    "demo": ("testing/otlp_receiver.py", "from .clocks import FakeClock", ["demo", "--for", "1s"]),
}


def modules_of(found: Distribution) -> set[str]:
    """Return the packages and modules that a distribution installs, with dots."""
    paths = [path for path in found.files or [] if path.suffix in {".py", ".so", ".pyd"}]
    parents = [path.parts[:-1] for path in paths]
    packages = {".".join(each[:end]) for each in parents for end in range(len(each) + 1)}
    return packages | {path.name.partition(".")[0] for path in paths if len(path.parts) == 1}


def required_by(extra: str) -> list[str]:
    """Return the distributions that an extra installs, by itself and by the extras in it."""
    names: list[str] = []
    for one in map(Requirement, DEPENDENCIES[extra]):
        nested = [name for each in one.extras for name in required_by(each)]
        names += nested if one.name == "otel_meta" else [one.name]
    return names


class TestExtraImports:
    def test_installed_package_is_imported(self) -> None:
        """An installed package is imported."""
        with ExtraImports("generate", "Something"):
            import yaml  # noqa: PLC0415 - the case

        assert "yaml" == yaml.__name__

    @pytest.mark.parametrize(
        ("extra", "module"),
        [
            ("generate", "yaml"),
            ("generate", "grafana_foundation_sdk.models.not_there_yet"),
            ("otlp", "opentelemetry.exporter"),
            ("otlp", "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
            ("examples", "websockets.sync.client"),
        ],
    )
    def test_missing_package_is_a_missing_extra(self, extra: Extra, module: str) -> None:
        """A missing package, its part or its parent is a missing extra."""
        with (
            pytest.raises(MissingExtra, match=rf"pip install 'otel_meta\[{extra}\]'") as caught,
            ExtraImports(extra, "Something"),
        ):
            raise ModuleNotFoundError("absent", name=module)

        assert isinstance(caught.value.__cause__, ModuleNotFoundError)

    def test_error_is_one_of_configuration_and_of_import(self) -> None:
        """A missing extra is a configuration error, and an import error as well."""
        with pytest.raises(ConfigurationError) as caught, ExtraImports("generate", "Something"):
            raise ModuleNotFoundError("absent", name="yaml")

        assert isinstance(caught.value, ImportError)
        assert "Something needs: pip install 'otel_meta[generate]'" == str(caught.value)

    @pytest.mark.parametrize(
        "error",
        [
            ModuleNotFoundError("absent", name="otel_meta.render.ruels"),
            ModuleNotFoundError("absent", name="uvicorn"),
            ModuleNotFoundError("absent", name="yamlet"),
            ModuleNotFoundError("absent"),
            ImportError("cannot import name 'to_yml'", name="otel_meta.render._yaml"),
            ImportError("cannot import name 'dumpp'", name="yaml"),
            ValueError("unrelated"),
        ],
        ids=repr,
    )
    def test_other_errors_pass_unchanged(self, error: Exception) -> None:
        """An error that is no missing package of the extra passes unchanged."""
        with pytest.raises(type(error)) as caught, ExtraImports("generate", "Something"):
            raise error

        assert error is caught.value


class TestBroken:
    @pytest.mark.parametrize(("module", "line", "arguments"), BROKEN.values(), ids=BROKEN)
    def test_misspelt_import_of_our_own_keeps_its_error(
        self, module: str, line: str, arguments: list[str], tmp_path: Path
    ) -> None:
        """A misspelt import in one of our modules is shown as itself, not as a missing extra."""
        shutil.copytree(ROOT / "otel_meta", tmp_path / "otel_meta")
        path = tmp_path / "otel_meta" / module
        future = "from __future__ import annotations\n"
        path.write_text(path.read_text().replace(future, f"{future}{line}\n"))

        run = subprocess.run(
            [sys.executable, "-m", "otel_meta", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

        assert "No module named 'otel_meta." in run.stderr
        assert "pip install" not in run.stderr


class TestPackages:
    def test_every_extra_is_known(self) -> None:
        """The extras are those of pyproject.toml, less sums, development, and the native core."""
        others = {"all", "dev", "docs", "native"}  # nothing fails without the native core

        assert set(get_args(Extra)) == set(PACKAGES) == set(DEPENDENCIES) - others

    @pytest.mark.parametrize("extra", PACKAGES)
    def test_each_requirement_has_its_package(self, extra: Extra) -> None:
        """Each distribution that an extra installs has a package in the table."""
        packages = set(PACKAGES[extra])
        names = required_by(extra)

        assert [] == [name for name in names if not packages & modules_of(distribution(name))]
