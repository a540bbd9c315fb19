"""Plain tables for pipes and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:%| [a-z]+)?")


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render columns two spaces apart; columns of numbers are aligned to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [is_right(column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def is_right(cells: Sequence[str]) -> bool:
    """Return True if a column of these cells is aligned to the right: a column of numbers."""
    return bool(cells) and all(cell == "-" or _NUMBER.fullmatch(cell) for cell in cells)
