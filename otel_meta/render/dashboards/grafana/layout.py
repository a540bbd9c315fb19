"""Positions of panels on a dashboard: left to right in 24 columns, then on the next line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from .panel import Panel, Section

COLUMNS: Final = 24
"""The width of a dashboard, in Grafana's grid units."""


@dataclass(frozen=True)
class PositionedPanel:
    """A panel with an id and the position of its upper left corner."""

    panel: Panel
    x: int
    y: int
    id: int


@dataclass(frozen=True)
class Row:
    """A section with an id, the line of the heading, and positioned panels."""

    section: Section
    y: int
    id: int
    panels: tuple[PositionedPanel, ...]


def position_rows(sections: Iterable[Section]) -> Iterator[Row]:
    """Position each section below the previous; a collapsed section takes up only its heading."""
    y = 0
    for section in sections:
        panels = tuple(_position_panels(section, y + 1))
        yield Row(section, y, stable_id(section.title), panels)
        y = y + 1 if section.collapsed else max(p.y + p.panel.height for p in panels)


def stable_id(*titles: str) -> int:
    """Return an id that depends on the titles alone, so that links to a panel stay valid."""
    return crc32("\n".join(titles).encode()) & 0x7FFFFFFF


def _position_panels(section: Section, top: int) -> Iterator[PositionedPanel]:
    x, y, bottom = 0, top, top
    for panel in section.panels:
        if x + panel.width > COLUMNS:
            x, y = 0, bottom
        yield PositionedPanel(panel, x, y, stable_id(section.title, panel.title))
        x, bottom = x + panel.width, max(bottom, y + panel.height)
