"""Where panels stand: from left to right in 24 columns, and on the next line where one is full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from .panel import Panel, Section

COLUMNS: Final = 24


@dataclass(frozen=True)
class Placed:
    """A panel and the corner where it begins."""

    panel: Panel
    x: int
    y: int
    id: int


@dataclass(frozen=True)
class Row:
    """A section, the line of its heading, and its panels."""

    section: Section
    y: int
    id: int
    panels: tuple[Placed, ...]


def rows(sections: Iterable[Section]) -> Iterator[Row]:
    """Sections one below the other; a folded one takes up its heading only."""
    y = 0
    for section in sections:
        placed = tuple(_flow(section, y + 1))
        yield Row(section, y, stable_id(section.title), placed)
        y = y + 1 if section.folded else max(p.y + p.panel.height for p in placed)


def stable_id(*names: str) -> int:
    """A number that links can rely on: a panel keeps it when others come and go around it."""
    return crc32("\n".join(names).encode()) & 0x7FFFFFFF


def _flow(section: Section, top: int) -> Iterator[Placed]:
    x, y, bottom = 0, top, top
    for panel in section.panels:
        if x + panel.width > COLUMNS:
            x, y = 0, bottom
        yield Placed(panel, x, y, stable_id(section.title, panel.title))
        x, bottom = x + panel.width, max(bottom, y + panel.height)
