"""docs/command-line.md, against the commands, their options and the exit codes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from otel_meta.cli.command_group import load_command
from otel_meta.cli.commands import COMMANDS
from otel_meta.cli.exit_code import ExitCode
from otel_meta.cli.project.config_rows import ROWS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
ELSEWHERE = {row.option for row in ROWS if row.option}
"""Options of generate with a line in docs/project.md."""
SHARED = {"Catalogue": "The catalogue of a command", "Server": "The server of a command"}
"""The sections of the options in a panel that several commands have."""


def options_in(section: str) -> list[str]:
    """Return the first cells of the tables in a section of the page."""
    text = re.split(rf"^## {section}\n", PAGE, flags=re.MULTILINE)[1].split("\n## ")[0]
    cells = re.findall(r"^\| `((?:[^`])+)` \|", text, re.MULTILINE)
    return [cell.replace("\\|", "|") for cell in cells]


def form(parameter: Any) -> str:
    """Return an option or an argument as the page has it."""
    words = [parameter.opts[-1]] if parameter.param_type_name == "option" else []
    return " ".join([*words, *filter(None, [parameter.metavar])])


def test_page_has_every_exit_code() -> None:
    """The page has every exit code with its meaning."""
    table = PAGE.partition("<!-- exit codes -->\n")[2].partition("<!-- end -->")[0]
    lines = [f"| {code.value} | {code.meaning} |" for code in ExitCode]

    assert ["| code | meaning |", "|---|---|", *lines] == table.splitlines()


def test_page_lists_every_command() -> None:
    """The first table of the page lists every command."""
    assert {*COMMANDS} == {*re.findall(r"^\| \[`(\w+)`\]", PAGE, re.MULTILINE)}


@pytest.mark.parametrize("command", COMMANDS)
def test_page_has_every_option(command: str) -> None:
    """The section of a command has each of its options; shared ones have their own."""
    parameters = load_command(command).params
    elsewhere = ELSEWHERE if command == "generate" else set[str]()
    own = [form(e) for e in parameters if panel(e) not in SHARED and e.opts[-1] not in elsewhere]

    assert sorted(own) == sorted(options_in(command))
    for shared, section in SHARED.items():
        assert {form(e) for e in parameters if panel(e) == shared} <= {*options_in(section)}


def panel(parameter: Any) -> str | None:
    """Return the panel of the help with a parameter."""
    name: str | None = parameter.rich_help_panel
    return name


@pytest.mark.parametrize("example", [(n, e) for n, row in COMMANDS.items() for e in row.examples])
def test_example_of_help_has_options_of_command(example: tuple[str, str]) -> None:
    """Each example in a help runs its command with options that it has."""
    name, line = example
    known = {option for each in load_command(name).params for option in each.opts}

    assert name == line.split()[0]
    assert {*re.findall(r"(?<= )--[a-z-]+", line)} <= known
