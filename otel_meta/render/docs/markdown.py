"""Parts of Markdown documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from otel_meta.render.header import generated_from

_CODE_OR_SIGN: Final = re.compile(
    r"""
    ^[ ]*(?P<fence>`{3,})[^`\n]*\n(?:.*\n)*?[ ]*(?P=fence)$  # a block of code
    | (?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)  # code in a line: a line may begin a new item
    | [<`]
    """,
    re.MULTILINE | re.VERBOSE,
)
_SIGNS: Final = {"<": "&lt;", "`": "\\`"}


def literal(text: str) -> str:
    """Return a text of the catalogue for a document: no HTML, and no code without an end."""
    return _CODE_OR_SIGN.sub(lambda found: _SIGNS.get(found[0], found[0]), text)


def code_span(text: str) -> str:
    """Return code within a sentence, in more backticks than the code has in a row."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def page(title: str, source: str, *parts: str) -> str:
    """Return a generated page: header, title and parts."""
    mark = f"<!-- {generated_from(source)} -->"
    return "\n\n".join([mark, f"# {title}", *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in escaped)


def folded(summary: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in HTML that opens at a click; Markdown inside HTML is no standard."""
    lines = [("th", head), *(("td", row) for row in rows)]
    body = "\n".join(
        "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        for tag, cells in lines
    )
    title = f"<summary>{escape(summary)}</summary>"
    return f"<details>\n{title}\n<table>\n{body}\n</table>\n</details>"


def code(text: str, language: str = "") -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```"
