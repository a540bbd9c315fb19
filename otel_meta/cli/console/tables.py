"""Tables: on a terminal with styles and folded to its width, elsewhere as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from .plain_table import is_right, plain_table
from .rich_console import output, wide_output


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the text of a table; columns of numbers are aligned to the right.

    The last column is folded if the terminal is narrow; names in the others stay whole.
    """
    if not output().is_terminal:
        return plain_table(head, rows)
    from rich.table import Table  # noqa: PLC0415 - for a terminal only
    from rich.text import Text  # noqa: PLC0415 - likewise

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name, *cells in zip(head, *rows, strict=True):
        made.add_column(
            name,
            justify="right" if is_right(cells) else "left",
            overflow="fold",
            no_wrap=name != head[-1],
        )
    for row in rows:
        made.add_row(*map(Text, row))
    console = wide_output(made)
    with console.capture() as captured:
        console.print(made)
    return captured.get().rstrip("\n")
