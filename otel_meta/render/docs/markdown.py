"""Parts of Markdown documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from otel_meta.render.header import generated_from


def page(title: str, source: str, *parts: str) -> str:
    """Return a generated page: header, title and parts."""
    mark = f"<!-- {generated_from(source)} -->"
    return "\n\n".join([mark, f"# {title}", *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in escaped)


def code(text: str, language: str = "") -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```"
