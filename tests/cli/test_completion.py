"""Completion: the names that a shell gets, by bash's own protocol."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta.cli.commands import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Write

Completed = Callable[..., list[str]]

COURT = """\
from otel_meta import MetaRepo
class Court(MetaRepo, name="court-of-law", owner="justice"):
    '''Cases.'''
"""
IN_BASH = """\
PATH="{folder}:$PATH"
source <(otel-meta --show-completion bash)
COMP_WORDS=(otel-meta show aurora-api)
COMP_CWORD=2
_otel_meta_completion otel-meta
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def completed(otel_meta: Command, environment: dict[str, str]) -> Completed:
    """Function that completes the last word, which may be empty."""

    def complete(*words: str) -> list[str]:
        line = " ".join(["otel-meta", *words])
        protocol = {
            "_OTEL_META_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
        }
        done = otel_meta(env=environment | protocol)
        assert (0, "") == (done.returncode, done.stderr)
        return [name for name in done.stdout.splitlines() if name]

    return complete


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ba",), ["backfill"]),
        (("generate", "--fo"), ["--folders", "--format"]),
        (("show", "aurora-api"), ["aurora-api-availability", "aurora-api-latency"]),
        (("show", "orders_placed"), ["orders_placed_total"]),
        (("check", "--repo", "ti"), ["titan", "titan-microservices-mesh"]),
        (("backfill", "--slo", "aurora-w"), ["aurora-websocket-stability"]),
        (("check", "--format", "s"), ["sarif"]),
        (("generate", "--traces", ""), ["jaeger", "tempo"]),
        (("generate", "--folders", "d"), ["docs", "dashboards"]),
        (("demo", "--stack", "y"), ["yes"]),
        (("sow", "x"), []),
    ],
)
def test_word_is_completed(
    completed: Completed, words: tuple[str, ...], expected: list[str]
) -> None:
    """Commands, options, choices and names of the catalogue are completed."""
    assert expected == completed(*words)


def test_every_command_is_completed(completed: Completed) -> None:
    """Every command is completed."""
    assert [*COMMANDS] == completed("")


def test_names_of_project_are_completed(completed: Completed, write: Write, tmp_path: Path) -> None:
    """The names of the project in the working folder are completed."""
    write("court", COURT)
    (tmp_path / "pyproject.toml").write_text("[tool.otel_meta]\nrepos = ['court:Court']\n")

    assert ["court", "court-of-law"] == completed("show", "--repo", "co")


def test_broken_project_completes_nothing(completed: Completed, tmp_path: Path) -> None:
    """A project that cannot be loaded completes nothing, and shows no error."""
    (tmp_path / "pyproject.toml").write_text("[tool.otel_meta]\nrepos = ['gone:Gone']\n")

    assert [] == completed("show", "--repo", "au")


def test_bash_completes_names(program: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Bash completes names with the script that the program prints."""
    done = subprocess.run(
        ["bash", "-c", IN_BASH.format(folder=program.parent)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )

    assert ["aurora-api-availability", "aurora-api-latency"] == done.stdout.splitlines()
