"""Foreign text without characters that move the cursor of a terminal or turn the text around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_BETWEEN_LINES: Final = "\n"


def printable(text: str) -> str:
    """Return the characters of a text that can be seen, and the ends of its lines."""
    return "".join(each for each in text if each.isprintable() or each == _BETWEEN_LINES)


class Printable(NamedTuple):
    """A table or a line, whose texts may be those of services."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what the content renders, without other characters than printable ones."""
        for segment in console.render(self.content, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))
