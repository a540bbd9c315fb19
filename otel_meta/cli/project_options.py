"""Options of the command line with the meaning of a key of the project's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Final

from typer import Argument, Option

from .catalog_loader import ENTRY_POINTS
from .completion import complete_repos, complete_slos, completing
from .option_set import Command, option, with_options
from .project.config_kinds import FILE, REPO, TEXT, Kind, choice
from .project.config_rows import FOLDERS, ROWS, SERVER, Row
from .project.project import Project, load_project

_CATALOG: Final = "Catalogue"
_FILES: Final = "Files"


def checked(kind: Kind) -> Callable[[str], str]:
    """Return the reader of an option's value: a text that the kind can read."""

    def check(text: str) -> str:
        kind.read(kind.of_texts([text]))
        return text

    return check


def checked_path(kind: Kind) -> Callable[[str], Path]:
    """Return the reader of a path, which is not empty as that of a variable that is not set."""
    check = checked(kind)
    return lambda text: Path(check(text))


def plain(text: str) -> str:
    """Return a text for the help, whose brackets would be markup."""
    return text.replace("`", "").replace("[", r"\[")


SloArgument = Annotated[
    str,
    Argument(
        metavar="SLO",
        parser=checked(TEXT),
        help="The name of an SLO.",
        autocompletion=complete_slos,
    ),
]
"""The argument of a command about one SLO."""

_CATALOG_OPTIONS: Final[Mapping[str, Parameter]] = {
    "repos": option(
        "repo",
        list[str] | None,
        Option(
            "--repo",
            metavar="NAME",
            parser=checked(REPO),
            help="Only the meta-repository of this name, such as aurora; or MODULE:CLASS, to add "
            "one that is importable from the working directory. May be repeated.",
            autocompletion=complete_repos,
            rich_help_panel=_CATALOG,
        ),
    ),
    "installed": option(
        "installed",
        bool,
        Option(
            "--installed",
            help=f"Add the meta-repositories in the entry-point group {ENTRY_POINTS}.",
            rich_help_panel=_CATALOG,
        ),
        default=False,
    ),
    "only": option(
        "only",
        bool,
        Option("--only", help="Without the built-in meta-repositories.", rich_help_panel=_CATALOG),
        default=False,
    ),
}
"""The options that choose the catalogue, by the key of the table."""
_CONFIG: Final = option(
    "config",
    Path | None,
    Option(
        "--config",
        metavar="FILE",
        parser=checked_path(FILE),
        help=plain("TOML file with the table [tool.otel_meta] (the nearest pyproject.toml)."),
        rich_help_panel=_CATALOG,
    ),
)


def _row_option(row: Row) -> Parameter:
    repeated = "; may be repeated" if row.kind.repeatable else ""
    help_text = f"{row.meaning[0].upper()}{row.meaning[1:]} ({row.default}){repeated}."
    return option(
        row.option.removeprefix("--").replace("-", "_"),
        list[str] | None if row.kind.repeatable else str | None,
        Option(
            row.option,
            metavar=row.metavar,
            parser=checked(row.kind),
            autocompletion=completing(row.kind.names),
            help=plain(help_text),
            rich_help_panel=row.panel,
            envvar=row.variable or None,
        ),
    )


_GENERATOR_OPTIONS: Final[Mapping[str, Parameter]] = {
    **_CATALOG_OPTIONS,
    "folders": option(
        "folders",
        list[str] | None,
        Option(
            "--folders",
            metavar="FOLDER...",
            parser=checked(choice(FOLDERS)),
            autocompletion=completing(FOLDERS),
            help=f"Folders to write: {', '.join(FOLDERS)} (all).",
            rich_help_panel=_FILES,
        ),
    ),
    **{row.key: _row_option(row) for row in ROWS if row.option and row.panel != SERVER},
}
"""Every option of the generator with the meaning of a key, by the key of the table."""
_SERVER_OPTIONS: Final[Mapping[str, Parameter]] = {
    **_CATALOG_OPTIONS,
    **{row.key: _row_option(row) for row in ROWS if row.panel == SERVER},
}
"""Every option that says which server is asked, and how, by the key of the table."""


def _with(options: Mapping[str, Parameter]) -> Callable[[Command], Command]:
    def project_of(values: Mapping[str, Any]) -> Project:
        given = {key: values[each.name] for key, each in options.items()}
        return load_project(values[_CONFIG.name], given)

    return with_options("project", [*options.values(), _CONFIG], project_of)


def with_project(command: Command) -> Command:
    """Give a command the project, by the options that choose the catalogue."""
    return _with(_CATALOG_OPTIONS)(command)


def with_generator_project(command: Command) -> Command:
    """Give a command the project, by every option that stands for a key of the table."""
    return _with(_GENERATOR_OPTIONS)(command)


def with_server_project(command: Command) -> Command:
    """Give a command the project, by the options for the catalogue and for the server to ask."""
    return _with(_SERVER_OPTIONS)(command)
