"""Writes the table of cases and engines in ``docs/engines.md``.

``python -m tests.web.cases.engine_table`` prints the table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .elsewhere import ELSEWHERE
from .engines import ENGINES
from .unmet import UNMET

FOLDER = Path(__file__).parent
_FIXTURES = {"recorded", "instrument", "engine"}
"""Fixtures of the tests that run with each engine."""


class Case(NamedTuple):
    """A test that runs with each engine."""

    name: str
    claim: str

    def cell(self, engine: str) -> str:
        """Return whether an engine meets the case: in whole, in part or not at all."""
        unmet = UNMET.get(engine, {})
        if self.name in unmet:
            return "no"
        return "in part" if any(key.startswith(f"{self.name}[") for key in unmet) else "yes"


def cases() -> Iterator[Case]:
    """Return the tests of this folder that run with each engine."""
    for path in sorted({*FOLDER.glob("test_*.py")} - {FOLDER / "test_engine_table.py"}):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                arguments = {argument.arg for argument in node.args.args}
                if arguments & _FIXTURES:
                    yield Case(node.name, ast.get_docstring(node) or "")


def table() -> str:
    """Return the table as Markdown."""
    lines = [f"| case | {' | '.join(ENGINES)} |", f"|---|{'---|' * len(ENGINES)}"]
    for case in cases():
        cells = " | ".join(case.cell(engine) for engine in ENGINES)
        lines.append(f"| {case.claim} | {cells} |")
    return "\n".join(lines)


def reasons() -> str:
    """Return the list of the reasons, by engine and by server."""
    found = {subject: sorted(set(unmet.values())) for subject, unmet in UNMET.items() if unmet}
    return "\n".join(
        f"- {subject.capitalize()}: {'; '.join(texts)}." for subject, texts in found.items()
    )


def elsewhere() -> str:
    """Return the list of the cases that other folders test."""
    return "\n".join(f"- {claim} (`{path}`)" for claim, (path, _) in ELSEWHERE.items())


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n\n{reasons()}\n\n{elsewhere()}\n")
