"""Parts of an SVG image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from otel_meta.render.dashboards.grafana.titles import text_width

Parts = Iterator[str]
FAMILY = "Inter, Helvetica, Arial, sans-serif"
INK, DIM, GRID, BORDER = "#24292e", "#6c7079", "#ebecef", "#d5d7dc"
PALETTE = (
    "#56A64B", "#F2CC0C", "#3274D9", "#FF780A", "#E02F44", "#8F3BB8", "#37872D", "#1250B0",
    "#C4162A", "#FA6400", "#7C2EA3", "#96D98D", "#8AB8FF", "#FFB357", "#FF7383", "#CA95E5",
)  # fmt: skip
"""The first colours of Grafana's classic palette on a light page."""


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 12,
    color: str = INK,
    anchor: str = "start",
    weight: int = 400,
    width: float = 0,
) -> str:
    """Return a line of text, shortened to a width in pixels as Grafana does."""
    shown = shorten(content, size, width) if width else content
    style = f' font-weight="{weight}"' if weight != 400 else ""  # noqa: PLR2004  # the usual weight
    placed = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{color}"{style}{placed}>'
        f"{escape(shown)}</text>"
    )


def shorten(content: str, size: int, width: float) -> str:
    """Return a text cut to a width in pixels, with an ellipsis."""
    if text_width(content, size) <= width:
        return content
    while content and text_width(content + "…", size) > width:
        content = content[:-1]
    return content + "…"


def rect(
    x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none"
) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, *, color: str = GRID, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="{color}"{dashed}/>'
    )


def polyline(points: Sequence[tuple[float, float]], color: str) -> str:
    """Return a curve; points on a level line are left out."""
    kept = [
        point
        for index, point in enumerate(points)
        if not 0 < index < len(points) - 1
        or round(points[index - 1][1]) != round(point[1])
        or round(points[index + 1][1]) != round(point[1])
    ]
    shown = " ".join(f"{x:.0f},{y:.0f}" for x, y in kept)
    return f'<polyline points="{shown}" fill="none" stroke="{color}" stroke-width="1.3"/>'


def document(width: int, height: int, parts: Iterable[str]) -> str:
    """Return an image."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FAMILY}">'
    )
    return "\n".join((head, rect(0, 0, width, height, fill="#f4f5f5"), *parts, "</svg>")) + "\n"
