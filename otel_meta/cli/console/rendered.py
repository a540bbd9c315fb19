"""What rich renders, as text: for the width of a terminal, and complete for a pipe or a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .printable import Printable
from .rich_console import wide_output

if TYPE_CHECKING:
    from rich.console import RenderableType


def rendered(parts: Iterable[RenderableType]) -> str:
    """Return the text of tables and lines; a line of text is never broken."""
    lines = "".join(map(_rendered, parts)).splitlines()
    return "\n".join(map(str.rstrip, lines))


def _rendered(part: RenderableType) -> str:
    from rich.text import Text  # noqa: PLC0415 - a command that prints plain text needs none

    console = wide_output(part)
    with console.capture() as captured:
        console.print(Printable(part), soft_wrap=isinstance(part, Text))
    return captured.get()
