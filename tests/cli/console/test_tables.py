"""Tables and help on terminals, in pipes and in files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta.repos import BUILTIN
from tests.cli.terminal_output import shown

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")
SLOS = ("show", "slos", "--repo", "aurora")


@pytest.mark.parametrize("arguments", [SLOS, ("-h",), ("generate", "-h")], ids=" ".join)
def test_pipe_has_no_escape_sequences(
    otel_meta: Command, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    """A pipe has no escape sequences, also in a log of GitHub."""
    variables = {"GITHUB_ACTIONS": "true", "TERM": "xterm-256color"}
    done = otel_meta(*arguments, env=environment | variables)

    assert 0 == done.returncode
    assert ESCAPE not in done.stdout


def test_pipe_keeps_the_parts_of_a_report_apart(
    otel_meta: Command, environment: dict[str, str]
) -> None:
    """An empty line between two parts of a report is in a pipe as well."""
    done = otel_meta("budget", "aurora-api-latency", env=environment)

    assert "may be bad.\n\nALERT" in done.stdout


@pytest.mark.parametrize("variables", [{"COLUMNS": "20"}, {"COLUMNS": "20", "FORCE_COLOR": "1"}])
def test_pipe_has_whole_rows(
    otel_meta: Command, environment: dict[str, str], variables: dict[str, str]
) -> None:
    """In a pipe each row is one line, whatever its length, with styles and without."""
    done = otel_meta(*SLOS, env=environment | variables)

    assert 6 == len([line for line in done.stdout.splitlines() if line.strip("- ")])
    assert "http_server_time_to_first_byte_seconds <= 0.1" in done.stdout
    assert ("FORCE_COLOR" in variables) == (ESCAPE in done.stdout)


def test_terminal_has_bold_headings_and_whole_names(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """On a narrow terminal headings are bold, and no name is broken."""
    text = shown([program, "show", "metrics"], environment, tmp_path, columns=70)
    names = [instrument.prometheus_name for _, instrument in BUILTIN.instruments()]

    assert "\x1b[1mMETRIC" in text
    assert [] == [name for name in names if name not in text]


def test_last_column_is_folded_to_width_of_terminal(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """The last column is folded to the width of the terminal."""
    text = shown([program, "show", "repos"], environment, tmp_path, columns=90)

    assert {True} == {len(line) <= 90 for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "colours"), ({"NO_COLOR": "1"}, "styles"), ({"TERM": "dumb"}, "text")],
    ids=str,
)
def test_help_follows_variables_of_terminal(
    program: Path,
    environment: dict[str, str],
    tmp_path: Path,
    variables: dict[str, str],
    expected: str,
) -> None:
    """The help on a terminal has colours, unless NO_COLOR or TERM=dumb say otherwise."""
    text = shown([program, "check", "-h"], environment | variables, tmp_path)

    styled = "styles" if ESCAPE in text else "text"
    assert expected == ("colours" if COLOUR.search(text) else styled)
