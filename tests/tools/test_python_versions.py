"""Tests on every Python: the search for interpreters, the choice of the newest, the table."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "python_versions.py"
OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHERS = tuple(each for each in ("3.11", "3.12", "3.13", "3.14", "3.14t") if each != OWN)


def _load() -> ModuleType:
    """Import by path: `tools` is no package."""
    spec = importlib.util.spec_from_file_location("otel_meta_python_versions", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


versions = _load()
Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Function that writes a program which says that it is a Python, and passes its tests."""

    def create(path: str, version: str, code: int = 0) -> Path:
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\necho {version} {version}.7\nexit {code}\n")
        program.chmod(0o755)
        return program

    return create


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH, pyenv and cache folder are empty."""
    folders = {"PATH": "bin", "PYENV_ROOT": "pyenv", "XDG_CACHE_HOME": "cache"}
    return {name: str(tmp_path / folder) for name, folder in folders.items()}


@pytest.fixture
def no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without tests in place of the checkout, where pytest starts faster."""
    for name in ("pyproject.toml", "constraints.txt"):
        tmp_path.joinpath(name).touch()
    monkeypatch.setattr(versions, "ROOT", tmp_path)


class TestFind:
    def test_interpreters_are_found_on_path_and_of_pyenv(
        self, fake: Fake, environ: dict[str, str]
    ) -> None:
        """Interpreters are found on PATH and among those of pyenv; each version has one."""
        first = fake(f"bin/python{OTHERS[0]}", OTHERS[0])
        fake(f"pyenv/versions/{OTHERS[0]}.1/bin/python", OTHERS[0])
        second = fake(f"pyenv/versions/{OTHERS[1]}.1/bin/python", OTHERS[1])
        fake("pyenv/versions/3.9.1/bin/python", "3.9")
        found = versions.find((), environ)

        assert {OWN: sys.executable, OTHERS[0]: str(first), OTHERS[1]: str(second)} == {
            version: interpreter.path for version, interpreter in found.items()
        }

    def test_given_interpreter_takes_precedence(self, fake: Fake, environ: dict[str, str]) -> None:
        """A given interpreter takes precedence over one of the same version on PATH."""
        fake(f"bin/python{OTHERS[0]}", OTHERS[0])
        given = fake("opt/python", OTHERS[0])

        assert str(given) == versions.find([str(given)], environ)[OTHERS[0]].path

    def test_program_that_does_not_run_is_no_interpreter(
        self, fake: Fake, environ: dict[str, str]
    ) -> None:
        """A program that fails, such as a shim of pyenv, is no interpreter."""
        fake(f"bin/python{OTHERS[0]}", OTHERS[0], code=127)

        assert [OWN] == list(versions.find(["/missing"], environ))

    def test_real_interpreter_says_its_version(self) -> None:
        """A real interpreter says its version and its release."""
        asked = versions.ask(sys.executable)

        assert (OWN, sys.version.split()[0]) == (asked.version.rstrip("t"), asked.release)


class TestNewest:
    def test_only_interpreter_is_said(
        self, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """If no newer interpreter is found, the output says so, and nothing fails."""
        assert 0 == versions.main(["--newest"], environ)
        assert "no newer version is here" in capsys.readouterr().out


@pytest.mark.usefixtures("no_checkout")
class TestResults:
    def test_table_has_all_versions(
        self,
        environ: dict[str, str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The table has all versions, those that were not found too."""
        code = versions.main(["--groups=--version"], environ)
        rows = capsys.readouterr().out.splitlines()[-len(versions.VERSIONS) :]

        assert 0 == code
        assert [f"| {each} " for each in versions.VERSIONS] == [
            f"{row[: row.index('|', 1)]}" for row in rows
        ]
        assert len(OTHERS) == sum("not found | not tested" in row for row in rows)

    def test_programs_of_tests_import_this_checkout(
        self, environ: dict[str, str], tmp_path: Path
    ) -> None:
        """Programs that the tests start import the package of this checkout, not another one."""
        expected = f"import os\ndef test(): assert {str(tmp_path)!r} == os.environ['PYTHONPATH']\n"
        (tmp_path / "test_path.py").write_text(expected)

        assert 0 == versions.main(["--groups=test_path.py"], environ)

    def test_version_whose_tests_fail_is_failure(
        self, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A version whose tests fail makes the command fail, and the output is shown."""
        assert 1 == versions.main(["--groups=missing"], environ)
        assert "file or directory not found" in capsys.readouterr().out

    def test_environment_that_cannot_be_made_is_failure(
        self, fake: Fake, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A version whose virtual environment cannot be made is a failure with a reason."""
        fake(f"bin/python{OTHERS[0]}", OTHERS[0])
        code = versions.main(["--groups=--version"], environ)

        assert 1 == code
        assert "no virtual environment" in capsys.readouterr().out
