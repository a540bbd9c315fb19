"""Bars, lines and icons of characters, for terminals with and without Unicode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Marks:
    """The characters of one kind of terminal."""

    eighths: str
    """Parts of a cell of a bar, from the smallest to a whole cell."""
    empty: str
    """A cell of a bar without content."""
    heights: str
    """Heights of a line, from 0 to 1."""
    icons: Mapping[str, str]
    """A sign for each state, which needs no colour."""

    def bar(self, share: float, width: int) -> str:
        """Return a bar of so many cells, filled to a share between 0 and 1.

        Any share above 0 has a part of a cell, and only 1 fills the last cell.
        """
        steps = len(self.eighths)
        filled = min(max(share, 0.0), 1.0) * width * steps
        most = width * steps - (share < 1)
        whole, part = divmod(min(max(round(filled), share > 0), most), steps)
        cells = self.eighths[-1] * whole + (self.eighths[part - 1] if part else "")
        return cells.ljust(width, self.empty)

    def line(self, values: Sequence[float], width: int) -> str:
        """Return a line through values between 0 and 1, the last value of each part of it."""
        top = len(self.heights) - 1
        return "".join(
            self.heights[round(min(max(value, 0.0), 1.0) * top)]
            for value in _sampled(values, width)
        )


def _sampled(values: Sequence[float], width: int) -> Iterator[float]:
    count = min(width, len(values))
    return (values[(position + 1) * len(values) // count - 1] for position in range(count))


UNICODE: Final = Marks(
    eighths="▏▎▍▌▋▊▉█",
    empty="░",
    heights="▁▂▃▄▅▆▇█",
    icons={"ok": "✓", "at_risk": "▲", "breached": "✗", "no_data": "?"},
)
ASCII: Final = Marks(
    eighths="#",
    empty=".",
    heights="_.-=^",
    icons={"ok": "+", "at_risk": "!", "breached": "x", "no_data": "?"},
)


def marks_for(encoding: str) -> Marks:
    """Return the marks that an encoding has."""
    characters = UNICODE.eighths + UNICODE.empty + UNICODE.heights + "".join(UNICODE.icons.values())
    try:
        characters.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
