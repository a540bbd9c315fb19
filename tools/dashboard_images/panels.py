"""Panels as SVG: the answers of Prometheus, with texts and colours from Grafana's packages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import incident
import svg
from axes import Axis, axis_of
from packages import Job

from otel_meta.render.dashboards.grafana.titles import text_width

HEADER: Final = 34
_MOST_COLORS: Final = 64
_PAD: Final = 10


@dataclass(frozen=True)
class Box:
    """The area of a panel in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Shown:
    """A panel with the answers of its queries and the results of its jobs."""

    panel: Mapping[str, Any]
    box: Box
    seconds: int
    answers: Mapping[str, list[Any]]
    results: list[Any] = field(default_factory=list[Any])

    @property
    def defaults(self) -> dict[str, Any]:
        """The panel's configuration of fields."""
        found: dict[str, Any] = self.panel["fieldConfig"]["defaults"]
        return found

    def jobs(self) -> list[Job]:
        """Return the jobs for Grafana's packages."""
        return _KINDS[self.panel["type"]][0](self)

    def draw(self) -> Iterator[str]:
        """Return the image."""
        box = self.box
        yield svg.rect(box.x, box.y, box.width, box.height, fill="#ffffff", stroke=svg.BORDER)
        title = str(self.panel["title"])
        yield svg.text(box.x + _PAD, box.y + 22, title, size=14, weight=500, width=box.width - 40)
        yield from _KINDS[self.panel["type"]][1](self)

    def nothing(self) -> str:
        """Return the text of a panel without data."""
        middle = self.box.x + self.box.width / 2, self.box.y + self.box.height / 2 + 8
        return svg.text(*middle, self.defaults.get("noValue", ""), color=svg.DIM, anchor="middle")


# ----------------------------------------------------------------------------- stats and tables


def _stat_jobs(shown: Shown) -> list[Job]:
    return [{"kind": "stat", "panel": shown.panel, "results": shown.answers}]


def _stat(shown: Shown) -> Iterator[str]:
    values = shown.results[0]
    box = shown.box
    rows = (box.height - HEADER - 8) / len(values)
    for index, value in enumerate(values):
        y = box.y + HEADER + rows * (index + 0.5)
        named = len(values) > 1
        size = _stat_size(value["text"], box.width / (2 if named else 1), rows)
        if named:
            yield svg.text(
                box.x + _PAD, y + 6, value["title"], size=15, width=box.width * 0.62 - _PAD
            )
        x = box.x + (box.width - _PAD if named else box.width / 2)
        yield svg.text(
            x, y + size / 3, value["text"], size=size, color=value["color"],
            anchor="end" if named else "middle", weight=500,
        )  # fmt: skip


def _stat_size(text: str, width: float, height: float) -> int:
    largest = (width - 2 * _PAD) / (text_width(text, 1) or 1)
    return int(max(11, min(44, largest, height * 0.62)))


def _table_jobs(shown: Shown) -> list[Job]:
    return [{"kind": "table", "panel": shown.panel, "results": shown.answers}]


def _table(shown: Shown) -> Iterator[str]:
    columns = shown.results[0]
    if not columns:
        yield shown.nothing()
        return
    box, row = shown.box, 36
    rows = int((box.height - HEADER - row) // row)
    x = box.x
    for column, width in zip(columns, _widths(columns, box.width), strict=True):
        place = x + (width - 8 if column["right"] else 8)
        anchor = "end" if column["right"] else "start"
        y = box.y + HEADER + 22
        yield svg.text(
            place, y, column["title"], weight=500, color="#1f62e0", anchor=anchor, width=width - 12
        )
        for index, cell in enumerate(column["cells"][:rows]):
            color = cell["color"] if column["colored"] else svg.INK
            color = "#1f62e0" if column["linked"] else color
            yield svg.text(
                place, y + row * (index + 1), cell["text"], color=color, anchor=anchor,
                width=width - 12,
            )  # fmt: skip
        x += width
    for index in range(min(rows, len(columns[0]["cells"])) + 1):
        y = box.y + HEADER + row * (index + 1) - 1
        yield svg.line(box.x, y, box.x + box.width, y)
    yield from _more_rows(shown, len(columns[0]["cells"]) - rows)


def _more_rows(shown: Shown, hidden: int) -> Iterator[str]:
    if hidden > 0:
        box = shown.box
        text = f"{hidden} more rows by scrolling"
        yield svg.text(box.x + box.width - 8, box.y + 22, text, color=svg.DIM, anchor="end")


def _widths(columns: Sequence[Mapping[str, Any]], width: float) -> list[float]:
    """Return the widths of columns: those given, and equal shares of the rest."""
    fixed = sum(column["width"] or 0 for column in columns)
    free = sum(column["width"] is None for column in columns)
    share = max(90, (width - fixed) / free) if free else 0
    widths = [column["width"] or share for column in columns]
    scale = width / sum(widths)
    return [one * scale for one in widths] if scale < 1 or not free else widths


# ---------------------------------------------------------------------------------- time series


@dataclass(frozen=True)
class Line:
    """A series of a chart."""

    name: str
    points: Sequence[tuple[float, float]]


def lines_of(shown: Shown) -> list[Line]:
    """Return the series of a panel, with the names of its legend."""
    return [
        Line(
            _legend(target["legendFormat"], series["metric"]),
            [(float(time), float(value)) for time, value in series["values"]],
        )
        for target in shown.panel["targets"]
        for series in shown.answers[target["refId"]]
    ]


def _legend(form: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), form).strip()


def _axis(shown: Shown, lines: Sequence[Line]) -> Axis:
    custom = shown.defaults.get("custom", {})
    symlog = custom.get("scaleDistribution", {}).get("type") == "symlog"
    visible = [custom[name] for name in ("axisSoftMin", "axisSoftMax") if name in custom]
    values = [*visible, *(value for line in lines for _, value in line.points)]
    defaults = shown.defaults
    return axis_of(values, defaults.get("min"), defaults.get("max"), symlog=symlog)


def _series_jobs(shown: Shown) -> list[Job]:
    lines = lines_of(shown)
    last = [line.points[-1][1] for line in lines]
    ticks = list(_axis(shown, lines).ticks())
    config = {**shown.defaults, "mappings": []}
    return [{"kind": "format", "config": config, "values": values} for values in (ticks, last)]


def _series(shown: Shown) -> Iterator[str]:
    lines = lines_of(shown)
    if not lines:
        yield shown.nothing()
        return
    box, legend = shown.box, shown.panel["options"]["legend"]
    beside = legend["placement"] == "right"
    chart = Box(
        box.x + 8 + _tick_width(shown),
        box.y + HEADER + 4,
        box.width - 20 - _tick_width(shown) - (0.34 * box.width if beside else 0),
        box.height - HEADER - (30 if beside else 50),
    )
    axis = _axis(shown, lines)
    yield from _grid(shown, chart, axis)
    yield from _deployments(shown, chart)
    yield from _thresholds(shown, chart, axis)
    for index, line in enumerate(lines):
        yield from _curve(line, chart, axis, shown.seconds, svg.PALETTE[index % len(svg.PALETTE)])
    yield from (_legend_table if beside else _legend_list)(shown, lines, chart)


def _tick_width(shown: Shown) -> float:
    return max((text_width(tick["text"], 11) for tick in shown.results[0]), default=0) + 6


def _grid(shown: Shown, chart: Box, axis: Axis) -> Iterator[str]:
    for value, tick in zip(axis.ticks(), shown.results[0], strict=True):
        y = chart.y + chart.height * (1 - axis.share(value))
        yield svg.line(chart.x, y, chart.x + chart.width, y)
        yield svg.text(chart.x - 6, y + 4, tick["text"], size=11, color=svg.DIM, anchor="end")
    yield from _times(shown, chart)


def _times(shown: Shown, chart: Box) -> Iterator[str]:
    form = "%m-%d" if shown.seconds > 2 * incident.DAY else "%H:%M"
    for part in range(7):
        time = incident.END - shown.seconds * (1 - part / 6)
        label = datetime.fromtimestamp(time, UTC).strftime(form)
        x = chart.x + chart.width * part / 6
        yield svg.text(
            x, chart.y + chart.height + 16, label, size=11, color=svg.DIM, anchor="middle"
        )


def _deployments(shown: Shown, chart: Box) -> Iterator[str]:
    for series in shown.answers.get("deployments", []):
        start = float(series["values"][0][0])
        x = _x(start, chart, shown.seconds)
        yield svg.line(x, chart.y, x, chart.y + chart.height, color="#3274D9", dash="3 3")
        bottom = chart.y + chart.height
        yield f'<path d="M{x - 4:.0f},{bottom + 6:.0f} l4,-6 l4,6 z" fill="#3274D9"/>'


def _thresholds(shown: Shown, chart: Box, axis: Axis) -> Iterator[str]:
    style = shown.defaults.get("custom", {}).get("thresholdsStyle", {})
    steps = shown.defaults.get("thresholds", {}).get("steps", [])[1:]
    for step in steps if style else ():
        share = axis.share(step["value"])
        if 0 <= share <= 1:
            y = chart.y + chart.height * (1 - share)
            yield svg.line(chart.x, y, chart.x + chart.width, y, color="#E02F44", dash="8 6")


def _x(time: float, chart: Box, seconds: int) -> float:
    return chart.x + chart.width * (1 - (incident.END - time) / seconds)


def _curve(line: Line, chart: Box, axis: Axis, seconds: int, color: str) -> Iterator[str]:
    piece: list[tuple[float, float]] = []
    for time, value in line.points:
        inside = math.isfinite(value) and -0.04 < axis.share(value) < 1.04  # noqa: PLR2004  # near
        if inside:
            y = chart.y + chart.height * (1 - axis.share(value))
            piece.append((_x(time, chart, seconds), y))
        elif piece:
            yield svg.polyline(piece, color)
            piece = []
    if piece:
        yield svg.polyline(piece, color)


def _legend_list(shown: Shown, lines: Sequence[Line], _: Box) -> Iterator[str]:
    x, y = shown.box.x + _PAD, shown.box.y + shown.box.height - 10
    for index, line in enumerate(lines):
        width = text_width(line.name, 12) + 26
        if x + width > shown.box.x + shown.box.width:
            more = f"+ {len(lines) - index}"
            yield svg.text(x, y, more, color=svg.DIM)
            return
        yield svg.rect(x, y - 6, 12, 3, fill=svg.PALETTE[index % len(svg.PALETTE)])
        yield svg.text(x + 16, y, line.name)
        x += width


def _legend_table(shown: Shown, lines: Sequence[Line], chart: Box) -> Iterator[str]:
    legend = shown.panel["options"]["legend"]
    left = chart.x + chart.width + 16
    right = shown.box.x + shown.box.width - _PAD
    order = sorted(range(len(lines)), key=lambda i: lines[i].points[-1][1])
    if legend.get("sortDesc"):
        order.reverse()
    rows = int((shown.box.height - HEADER - 22) // 20)
    y = shown.box.y + HEADER + 6
    yield svg.text(right, y, legend["sortBy"], color="#1f62e0", anchor="end", weight=500)
    for row, index in enumerate(order[:rows], 1):
        yield svg.rect(left, y + 20 * row - 6, 12, 3, fill=svg.PALETTE[index % len(svg.PALETTE)])
        text = shown.results[1][index]["text"]
        room = right - left - 30 - text_width(text, 12)
        yield svg.text(left + 16, y + 20 * row, lines[index].name, width=room)
        yield svg.text(right, y + 20 * row, text, anchor="end")


# -------------------------------------------------------------------------- timelines, heatmaps


def _timeline_jobs(shown: Shown) -> list[Job]:
    values = sorted({value for line in lines_of(shown) for _, value in line.points})
    return [{"kind": "format", "config": shown.defaults, "values": values}]


def _timeline(shown: Shown) -> Iterator[str]:
    lines = lines_of(shown)
    if not lines:
        yield shown.nothing()
        return
    values = sorted({value for line in lines for _, value in line.points})
    states = dict(zip(values, shown.results[0], strict=True))
    box = shown.box
    wide = min(0.35 * box.width, max(text_width(line.name, 12) for line in lines))
    chart = Box(box.x + wide + 20, box.y + HEADER, box.width - wide - 34, box.height - HEADER - 50)
    height = chart.height / len(lines)
    for index, line in enumerate(lines):
        y = chart.y + height * index
        yield svg.text(
            chart.x - 8, y + height / 2 + 4, line.name, size=min(12, int(height)),
            anchor="end", width=wide,
        )  # fmt: skip
        for start, end, value in _spans(line, shown.seconds):
            x = _x(start, chart, shown.seconds)
            width = max(1.5, _x(end, chart, shown.seconds) - x)
            yield svg.rect(x, y + 0.15 * height, width, 0.7 * height, fill=states[value]["color"])
    yield from _times(shown, chart)
    x = box.x + _PAD
    for state in {one["text"]: one for one in states.values()}.values():
        yield svg.rect(x, box.y + box.height - 16, 12, 4, fill=state["color"])
        yield svg.text(x + 16, box.y + box.height - 10, state["text"])
        x += text_width(state["text"], 12) + 36


def _spans(line: Line, seconds: int) -> Iterator[tuple[float, float, float]]:
    """Return the start, the end and the value of each time with one state."""
    step = step_of(seconds)
    start, last, state = line.points[0][0], line.points[0][0], line.points[0][1]
    for time, value in line.points[1:]:
        if value != state or time - last > 1.5 * step:
            yield start, last + step, state
            start, state = time, value
        last = time
    yield start, min(last + step, incident.END), state


def _heatmap_jobs(shown: Shown) -> list[Job]:
    bounds = [bound for bound, _ in _buckets(shown) if math.isfinite(bound)]
    return [{"kind": "format", "config": {"unit": shown.defaults.get("unit")}, "values": bounds}]


def _heatmap(shown: Shown) -> Iterator[str]:
    buckets = _buckets(shown)
    if not buckets:
        yield shown.nothing()
        return
    box = shown.box
    chart = Box(box.x + 70, box.y + HEADER, box.width - 84, box.height - HEADER - 30)
    height = chart.height / len(buckets)
    step = chart.width * _heat_step(shown) / shown.seconds
    for shade, cells in _shaded(buckets).items():
        boxes = (
            f"M{_x(time, chart, shown.seconds) - step:.0f},"
            f"{chart.y + chart.height - height * (index + 1):.0f}"
            f"h{step:.0f}v{height:.0f}h-{step:.0f}z"
            for index, time in cells
            if _x(time, chart, shown.seconds) - step >= chart.x - 1
        )
        yield f'<path d="{"".join(boxes)}" fill="{shade}"/>'
    for index, tick in list(enumerate(shown.results[0]))[:: max(1, len(buckets) // 5)]:
        y = chart.y + chart.height - height * (index + 1) + 4
        yield svg.text(chart.x - 6, y, tick["text"], size=11, color=svg.DIM, anchor="end")
    yield from _times(shown, chart)


def _shaded(
    buckets: Sequence[tuple[float, Mapping[float, float]]],
) -> Mapping[str, list[tuple[int, float]]]:
    """Return the cells of each colour: the number of the bucket and the time."""
    most = max((count for _, row in buckets for count in row.values()), default=1) or 1
    shades: dict[str, list[tuple[int, float]]] = {}
    for index, (_, row) in enumerate(buckets):
        for time, count in row.items():
            if count > most / _MOST_COLORS:
                shade = 235 - 20 * round(9 * math.sqrt(count / most))
                shades.setdefault(f"#{shade:02x}{min(255, shade + 40):02x}ff", []).append(
                    (index, time)
                )
    return shades


def _heat_step(shown: Shown) -> int:
    """Return the seconds of a column of a heatmap: every second point of other charts."""
    return 2 * step_of(shown.seconds)


def _buckets(shown: Shown) -> list[tuple[float, dict[float, float]]]:
    """Return the bound and the counts of each bucket, without the counts of smaller buckets."""
    series = sorted(
        (float(one["metric"]["le"]), {float(t): float(v) for t, v in one["values"][::-2]})
        for one in shown.answers["A"]
    )
    below: dict[float, float] = {}
    rows: list[tuple[float, dict[float, float]]] = []
    for bound, counts in series:
        rows.append((bound, {t: count - below.get(t, 0) for t, count in counts.items()}))
        below = counts
    return rows


def step_of(seconds: int) -> int:
    """Return the seconds between the points of a chart over a time."""
    return max(120, seconds // 150)


_KINDS: Final[
    Mapping[str, tuple[Callable[[Shown], list[Job]], Callable[[Shown], Iterator[str]]]]
] = MappingProxyType(
    {
        "stat": (_stat_jobs, _stat),
        "table": (_table_jobs, _table),
        "timeseries": (_series_jobs, _series),
        "state-timeline": (_timeline_jobs, _timeline),
        "heatmap": (_heatmap_jobs, _heatmap),
    }
)
