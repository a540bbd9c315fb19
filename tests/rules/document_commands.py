"""The queries and commands of documents: blocks of code in PromQL and in shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rules.pinned_tools import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
_BLOCK = re.compile(
    r"^#+ (?P<heading>.+?)$|^```(?P<language>promql|sh|console|bash)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
"""A heading, or a block of code."""


@dataclass(frozen=True)
class Block:
    """A block of code in a section of a document."""

    document: str
    section: str
    language: str
    text: str

    @property
    def name(self) -> str:
        """The document and the beginning of the text, for the ids of tests."""
        return f"{self.document}#{self.section}: {self.text[:60]}"


def blocks(*paths: Path) -> Iterator[Block]:
    """Yield the blocks of documents, each text once in a section."""
    for path in paths:
        yield from dict.fromkeys(_blocks_of(path))


def _blocks_of(path: Path) -> Iterator[Block]:
    section = ""
    for found in _BLOCK.finditer(path.read_text()):
        section = found["heading"] or section
        if found["language"]:
            yield Block(path.name, section, found["language"], found["text"].strip())


def documents() -> list[Path]:
    """Return every document with commands for operators."""
    found = [*RUNBOOKS.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
    return sorted([ROOT / "README.md", *found])


def queries() -> list[Block]:
    """Return every query of the documents."""
    return [block for block in blocks(*documents()) if block.language == "promql"]


def commands(program: str) -> list[Block]:
    """Return every command of the documents that runs a program."""
    return [
        Block(block.document, block.section, block.language, line)
        for block in blocks(*documents())
        if block.language != "promql"
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.startswith(f"{program} ")
    ]
