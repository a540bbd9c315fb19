"""What rich renders, as text: for the width of a terminal, and complete for a pipe or a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .rich_console import output, unbroken_output

if TYPE_CHECKING:
    from rich.console import RenderableType


def rendered(parts: Iterable[RenderableType]) -> str:
    """Return the text of tables and lines; a line of text is never broken."""
    from rich.text import Text  # noqa: PLC0415 - a command that prints plain text needs none

    terminal = output()
    console = terminal if terminal.is_terminal else unbroken_output()
    with console.capture() as capture:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text))
    return "\n".join(map(str.rstrip, capture.get().splitlines()))
