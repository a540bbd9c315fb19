"""Find, read and check the project's table."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from otel_meta.errors import UsageError
from otel_meta.model.arguments import did_you_mean

from .config_kinds import WrongValueError
from .config_rows import ROWS, TABLE, TEAM, Row

FILE: Final = "pyproject.toml"

Values = Mapping[tuple[str, ...], Any]
"""Checked values by the path of their key."""


class ProjectConfigError(UsageError):
    """The project's table is wrong; ``problems`` has a text for each mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """The project's table as read; without a file, a table without keys."""

    path: Path | None = None
    values: Values = field(default_factory=dict[tuple[str, ...], Any])

    @property
    def folder(self) -> Path:
        """The folder of the file; the working folder without a file."""
        return self.path.parent if self.path else Path()


def read_config(path: Path | None) -> ConfigFile:
    """Read the table of a file, or of the nearest ``pyproject.toml`` that has the table.

    Args:
        path: the file; None searches from the working folder upward, to the root of a repository.

    Raises:
        ProjectConfigError: the file has no table, or the table has mistakes.
        UsageError: the file cannot be read.
    """
    if path is None:
        return _found(_working_folder()) or ConfigFile()
    table = _table(path)
    if table is None:
        raise ProjectConfigError(f"{path}: has no table [{TABLE}]; add the line [{TABLE}]")
    return _checked(path, table)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it has been removed
        return Path()


def _found(folder: Path) -> ConfigFile | None:
    for candidate in (folder, *folder.parents):
        path = candidate / FILE
        table = _table(path) if path.is_file() else None
        if table is not None:
            return _checked(path, table)
        if (candidate / ".git").exists():
            return None
    return None


def _table(path: Path) -> object:
    """Return the table, or None if the file has none."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise UsageError(f"{path} is not TOML: {error}") from error
    tool: object = document.get("tool")
    return cast("Mapping[str, object]", tool).get("otel_meta") if isinstance(tool, dict) else None


def _checked(path: Path, table: object) -> ConfigFile:
    values: dict[tuple[str, ...], Any] = {}
    problems: list[str] = []
    for key, value in _leaves(table):
        try:
            values[key] = _row(key).kind.read(value)
        except WrongValueError as error:
            problems.append(f"{path}: [{TABLE}] {'.'.join(key)}: {error}")
    if problems:
        raise ProjectConfigError(*problems)
    return ConfigFile(path=path, values=values)


def _leaves(table: object, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield each key with a value; a table of tables is entered."""
    if not isinstance(table, dict) or not _is_group(above):
        yield above, table
        return
    for name, value in cast("Mapping[str, object]", table).items():
        yield from _leaves(value, (*above, name))


def _is_group(key: tuple[str, ...]) -> bool:
    return any(_belongs(key, row.path) and len(key) < len(row.path) for row in ROWS)


def _row(key: tuple[str, ...]) -> Row:
    """Return the row of a key.

    Raises:
        WrongValueError: there is no such key, or it is a table of keys.
    """
    for row in ROWS:
        if len(key) == len(row.path) and _belongs(key, row.path):
            return row
    beside = list(dict.fromkeys(_siblings(key)))
    if _is_group(key):
        raise WrongValueError(f"is no table; it has the keys {', '.join(_siblings((*key, '')))}")
    near = did_you_mean(key[-1], beside) or f"; the keys are {', '.join(beside)}"
    raise WrongValueError(f"is no key{near}")


def _siblings(key: tuple[str, ...]) -> Iterator[str]:
    """Yield the names that may stand in the place of the last name of a key."""
    above = key[:-1]
    for row in ROWS:
        if len(row.path) > len(above) and _belongs(above, row.path):
            yield row.path[len(above)]


def _belongs(key: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Return True if a key is, or leads to, the path of a row."""
    return len(key) <= len(path) and all(
        word in (name, TEAM) for name, word in zip(key, path, strict=False)
    )
