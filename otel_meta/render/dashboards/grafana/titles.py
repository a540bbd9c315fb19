"""Titles of panels: from names, and measured against the width of a panel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ACRONYMS: Final = {word.lower(): word for word in ("API", "CPU", "GCP", "HTTP", "USD", "dbt")}
_FONT: Final = 14
"""Pixels of a panel's title."""
_NARROW_WINDOW: Final = 1280
"""Pixels of the narrowest window for which titles are measured."""
_COLUMNS: Final = 24
_MARGINS: Final = 64
"""Pixels of a panel beside its title: padding, the sign of the description, and the menu."""
_WIDTHS: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys("iljI.,:;'|!", 0.3),
        **dict.fromkeys("ftr()[] -/", 0.4),
        **dict.fromkeys("mwMW@%", 0.95),
        **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.7),
    }
)
_OTHER_WIDTH: Final = 0.6
"""Widths of characters in sizes of the font, rounded up, of Grafana's font at medium weight."""


def title_of(name: str) -> str:
    """Return the title for the name of an instrument or SLO: ``"api.calls"`` gives "API calls"."""
    first, *rest = re.split(r"[._ -]", name)
    words = (_ACRONYMS.get(first, first.capitalize()), *(_ACRONYMS.get(w, w) for w in rest))
    return " ".join(words)


def fits(title: str, width: int) -> bool:
    """Return True if a title fits a panel.

    Args:
        title: the text.
        width: the panel's columns of the grid.
    """
    return text_width(title, _FONT) <= _NARROW_WINDOW * width / _COLUMNS - _MARGINS


def text_width(text: str, size: int) -> float:
    """Return the pixels of a text in a font of this size."""
    return size * sum(_WIDTHS.get(character, _OTHER_WIDTH) for character in text)
