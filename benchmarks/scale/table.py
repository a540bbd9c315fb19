"""Markdown tables, and their places in documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with words in the first column and numbers in the others."""
    rules = ["---", *["--:"] * (len(head) - 1)]
    lines = [head, rules, *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(page: Path, name: str, text: str) -> None:
    """Replace the text between the marks with this name.

    Raises:
        ValueError: the document has no such marks.
    """
    before = page.read_text()
    start, end = _place(before, name)
    page.write_text(f"{before[:start]}{text}\n{before[end:]}")


def shown(page: Path, name: str) -> str:
    """Return the text between the marks with this name.

    Raises:
        ValueError: the document has no such marks.
    """
    text = page.read_text()
    start, end = _place(text, name)
    return text[start:end].removesuffix("\n")


def _place(text: str, name: str) -> tuple[int, int]:
    marked = re.compile(rf"<!-- measured: {name} -->\n(.*?)<!-- end -->", re.DOTALL)
    if (found := marked.search(text)) is None:
        raise ValueError(f"there is no place for {name}")
    return found.span(1)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2g}"  # noqa: PLR2004  # two digits
    return f"{value:,}" if isinstance(value, int) else str(value)
