"""Charts of the error budget as SVG: the bar of what is left, and the burn-down of the period."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration
from otel_meta.status.status_json import StatusJson

from .markup import Markup, element
from .words import duration, percent, period

_LOWEST_BAR: Final = -0.5
"""The left end of a bar; its right end is a whole budget."""
_LOWEST_LINE: Final = -1.0
"""The lowest budget that a burn-down shows."""
_PLOT, _TOP, _AXIS = 100, 16, 20
"""Heights of a burn-down in pixels: of the plot, above for a label, and below for the axis."""
_WIDTH: Final = 1000
_MIN_POINTS: Final = 2


def budget_bar(row: StatusJson) -> Markup:
    """Return a bar from 0 % to the budget left: to the right, or to the left if overspent."""
    left = row["budget_left"]
    zero = _bar_position(0)
    ends = sorted((zero, zero if left is None else _bar_position(left)))
    kind = "none" if left is None else "below" if left < 0 else "left"
    return element(
        "svg",
        element("rect", class_="track", width="100%", height="100%", rx=3),
        element(
            "rect", class_=kind, x=f"{ends[0]:.4g}%", width=f"{ends[1] - ends[0]:.4g}%", height=12
        ),
        element("rect", class_="zero", x=f"{zero:.4g}%", width=2, height=12),
        element("path", class_="off", d="M9 1 3 6l6 5") if (left or 0) < _LOWEST_BAR else None,
        class_="bar",
        aria_hidden="true",
    )


def _bar_position(left: float) -> float:
    within = min(max(left, _LOWEST_BAR), 1.0)
    return 100 * (within - _LOWEST_BAR) / (1 - _LOWEST_BAR)


def burn_down(row: StatusJson, key: str) -> Markup | None:
    """Return the chart of the budget over the period; None without enough points.

    Args:
        row: the status.
        key: makes the ids of the chart unique on the page.
    """
    points = row["burn_down"]
    if len(points) < _MIN_POINTS:
        return None
    bottom = max(min(0.0, *(left for _, left in points)), _LOWEST_LINE)
    zero = _TOP + _PLOT / (1 - bottom)
    return element(
        "figure",
        element("figcaption", f"Error budget over {period(row['period'])}"),
        element(
            "svg",
            element("title", f"Error budget of {row['name']}", id=f"{key}-title"),
            element("desc", _described(row), id=f"{key}-desc"),
            _plot(row, bottom),
            _rule("whole", _TOP),
            _rule("zero", zero),
            element("text", "100 %", x=0, y=_TOP - 4),
            element("text", "0 %", x=0, y=zero - 4),
            element("text", f"{period(row['period'])} ago", x=0, y=_TOP + _PLOT + _AXIS),
            element("text", "now", class_="latest", x="100%", y=_TOP + _PLOT + _AXIS),
            role="img",
            aria_labelledby=f"{key}-title {key}-desc",
            height=_TOP + _PLOT + _AXIS + 4,
        ),
        class_="burn-down",
    )


def _rule(kind: str, y: float) -> Markup:
    return element("line", class_=kind, x1=0, x2="100%", y1=y, y2=y)


def _plot(row: StatusJson, bottom: float) -> Markup:
    """Return the line of the budget, and the part of the period before the first data."""
    length = Duration(row["period"]).seconds
    path = [
        (_WIDTH * (1 - ago / length), _PLOT * (1 - max(left, bottom)) / (1 - bottom))
        for ago, left in row["burn_down"]
    ]
    begin, end = path[0][0], path[-1][0]
    line = " ".join(f"{x:.0f},{y:.1f}" for x, y in path)
    zero = f"{_PLOT / (1 - bottom):.1f}"
    return element(
        "svg",
        element("rect", class_="unseen", width=max(begin, 0.0), height=_PLOT),
        element("polyline", points=f"{begin:.0f},{zero} {line} {end:.0f},{zero}"),
        y=_TOP,
        width="100%",
        height=_PLOT,
        viewBox=f"0 0 {_WIDTH} {_PLOT}",
        preserveAspectRatio="none",
    )


def _described(row: StatusJson) -> str:
    (first, whole), (_, now) = row["burn_down"][0], row["burn_down"][-1]
    lowest = min(left for _, left in row["burn_down"])
    return (
        f"From {percent(whole)} {duration(first)} ago to {percent(now)} now; "
        f"the lowest budget was {percent(lowest)}."
    )
