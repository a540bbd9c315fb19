"""Fixtures for commands: the program as a process or in this one, and modules for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from otel_meta.cli import main

PROGRAM = Path(sys.executable).with_name("otel-meta")

RunCommand = Callable[..., tuple[int, str, str]]
Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]
Refused = Callable[..., str]
Write = Callable[[str, str], Path]


def clean_environment() -> dict[str, str]:
    """Return the environment without the variables that change the behavior of commands."""

    def unwanted(name: str) -> bool:
        switches = ("OTEL_", "STOREFRONT_", "PYTHONUNBUFFERED", "PYTHONIOENCODING")
        return name.startswith(switches) or name.lower().endswith("_proxy")

    return {name: value for name, value in os.environ.items() if not unwanted(name)}


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a command."""
    return clean_environment()


@pytest.fixture(scope="session")
def program() -> Path:
    """The path of the installed program."""
    return PROGRAM


@pytest.fixture
def otel_meta(environment: dict[str, str], tmp_path: Path) -> Command:
    """Function that runs the installed program in the test's folder."""

    def run(*arguments: str | Path, **options: Any) -> Done:
        settings: dict[str, Any] = {
            "cwd": tmp_path,
            "env": environment,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "timeout": 60,
        }
        return subprocess.run([PROGRAM, *arguments], check=False, **settings | options)

    return run


@pytest.fixture
def refused(otel_meta: Command) -> Refused:
    """Function that runs the program with bad input, and returns its error line."""

    def run(*arguments: str, **options: Any) -> str:
        done = otel_meta(*arguments, **options)
        assert (2, "") == (done.returncode, done.stdout), done.stderr
        assert done.stderr.endswith("\n")
        (line,) = done.stderr.splitlines()
        assert line.startswith("otel-meta")
        return line

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Function that writes a module into the test's folder."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(dedent(text))
        return path

    return put


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's folder as the working directory; imports from it are undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run_command(here: Path, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Function that runs a command in this process: exit code, output, error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        return (main(arguments), *capsys.readouterr())

    return run
