"""Mistakes in the generators that tests once did not notice, each with the tests that notice it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutants import Mutant

TABLE = Path(__file__).with_name("mistakes.toml")


@dataclass(frozen=True)
class Mistake:
    """A change of a source file, and the tests that have to fail."""

    path: Path
    mutant: Mutant
    tests: tuple[str, ...]


def mistakes(root: Path, table: Path = TABLE) -> Iterator[Mistake]:
    """Yield the mistakes of the table.

    Raises:
        SystemExit: a text that is to be changed is not in its file, or more than once.
    """
    for row in tomllib.loads(table.read_text())["mistake"]:
        path = Path(row["file"])
        yield Mistake(path, _mutant(row, (root / path).read_text()), tuple(row["tests"]))


def _mutant(row: dict[str, Any], text: str) -> Mutant:
    original, name = row["original"], row["name"]
    if text.count(original) != 1:
        raise SystemExit(
            f"{row['file']} has {original!r} {text.count(original)} times instead of once: "
            f"correct the mistake {name!r} in {TABLE.name}"
        )
    line = text[: text.index(original)].count("\n") + 1
    return Mutant(line, name, text.replace(original, row["mistaken"]))
