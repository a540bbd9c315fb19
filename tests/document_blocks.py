"""Blocks of code in the documents, and the modules that the Python blocks are.

The comment above a block says how the block runs:

- ``<!-- name.py -->`` or ``<!-- file: name.py -->``: a file, which other blocks import.
- ``<!-- run: -->``: a script. ``<!-- run: Chronos as chronos -->`` runs after a bind,
  ``<!-- run: import structlog -->`` after an import.
- ``<!-- test: -->``: tests for pytest, likewise after an import.
- ``<!-- shown: -->``: code for a package that is not installed here; its types are checked.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL
)
WAYS = {"file", "run", "test", "shown"}

_FILE = re.compile(r"(?:file: )?(\w+\.py)")
_BIND = re.compile(r"(\w+) as (\w+)")
_FIXTURE = re.compile(r"\bcaptured_telemetry(?=[,)])(?P<alone>\):)?")


class Block(NamedTuple):
    """A block of code in a document."""

    page: Path
    mark: str
    language: str
    text: str
    number: int

    def __str__(self) -> str:
        return f"{self.page.name}: {self.mark or self.text.splitlines()[0]}"

    @property
    def way(self) -> str:
        """The way in which a Python block runs: one of `WAYS`; empty without a mark."""
        return "file" if _FILE.fullmatch(self.mark) else self.mark.partition(":")[0]

    @property
    def file_name(self) -> str:
        """The name of the module that a Python block is."""
        file = _FILE.fullmatch(self.mark)
        page = self.page.stem.replace("-", "_").lower()
        return file[1] if file else f"{self.way}_{page}_{self.number}.py"

    @property
    def before(self) -> str:
        """The line before a block that is a part of a module: an import, or a bind."""
        given = "" if self.way == "file" else self.mark.partition(":")[2].strip()
        bind = _BIND.fullmatch(given)
        if bind is None:
            return given
        repo, name = bind.groups()
        return (
            f"from otel_meta import configure; from otel_meta.repos import {repo}; "
            f"{name} = configure(set_global=False, log_stream=None).bind({repo})"
        )

    @property
    def module(self) -> str:
        """The source of the module that a Python block is."""
        return f"{self.before}\n{self.text}" if self.before else self.text

    @property
    def typed_module(self) -> str:
        """The module with a type for the fixture, whose type pytest does not need."""
        typed, count = _FIXTURE.subn(_typed_fixture, self.text)
        first = "from otel_meta.testing import CapturedTelemetry" if count else ""
        return "\n".join(filter(None, [self.before, first, typed]))


def _typed_fixture(found: re.Match[str]) -> str:
    return f"captured_telemetry: CapturedTelemetry{') -> None:' if found['alone'] else ''}"


def blocks(language: str) -> list[Block]:
    """Return the blocks of a language in all documents."""
    return [
        Block(page, found["mark"] or "", found["language"], found["text"], number)
        for page in PAGES
        for number, found in enumerate(_BLOCK.finditer(page.read_text()))
        if found["language"] == language
    ]
