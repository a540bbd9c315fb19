"""Draw the dashboards as images, from real answers and with Grafana's own texts of values.

    python tools/dashboard_images/draw.py [NAME ...] [--out FOLDER]

Prometheus holds the series of an incident (``incident.py``) and answers the queries of each panel.
Grafana's packages join tables, sort rows and format values; the charts are drawn in a simple form.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import svg
from answers import Prometheus, prometheus
from packages import run_jobs
from panels import Box, Shown, step_of

from otel_meta.render.dashboards import dashboards
from otel_meta.render.dashboards.grafana.titles import text_width
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images" / "dashboards"
_COLUMN, _ROW, _GAP, _TOP = 66, 38, 8, 84
_WIDTH = 24 * _COLUMN
_SECONDS = {"now-6h": 21_600, "now-24h": 86_400, "now-7d": 604_800}
_VARIABLE = re.compile(r"\$(\w+)")
_BUILTIN_VARIABLES = {"__rate_interval": "8m", "__range": "24h"}


def image_of(page: Mapping[str, Any], client: Prometheus) -> str:
    """Return the image of a dashboard, with the panels of closed rows shown open."""
    seconds = _SECONDS[page["time"]["from"]]
    marks = [_expanded(item["expr"]) for item in page["annotations"]["list"] if "expr" in item]
    deployed = [one for expr in marks for one in client.range(expr, seconds, step_of(seconds))]
    shown: list[Shown] = []
    parts = list(_heading(page, client))
    bottom, shift = 0, 0
    for item in page["panels"]:
        if item["type"] == "row":
            y = item["gridPos"]["y"] + shift
            note = " (closed until opened)" if item["collapsed"] else ""
            parts.append(svg.text(8, _TOP + y * _ROW + 24, f"▾ {item['title']}{note}", size=16))
            inside = item["panels"]
        else:
            inside = [item]
        for panel in inside:
            one = _shown(panel, shift, seconds, client)
            shown.append(
                Shown(one.panel, one.box, seconds, {**one.answers, "deployments": deployed})
            )
            grid = panel["gridPos"]
            bottom = max(bottom, grid["y"] + shift + grid["h"])
        if item["type"] == "row" and inside:
            shift += (
                max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in inside)
                - item["gridPos"]["y"]
                - 1
            )
    _resolve(shown)
    drawn = (part for one in shown for part in one.draw())
    return svg.document(_WIDTH, _TOP + (bottom + 1) * _ROW, [*parts, *drawn])


def _resolve(shown: list[Shown]) -> None:
    """Run the jobs of all panels at once."""
    jobs = [one.jobs() for one in shown]
    results = iter(run_jobs(job for some in jobs for job in some))
    for one, some in zip(shown, jobs, strict=True):
        one.results = [next(results) for _ in some]


def _shown(panel: Mapping[str, Any], shift: int, seconds: int, client: Prometheus) -> Shown:
    grid = panel["gridPos"]
    box = Box(
        grid["x"] * _COLUMN + _GAP / 2,
        _TOP + (grid["y"] + shift) * _ROW,
        grid["w"] * _COLUMN - _GAP,
        grid["h"] * _ROW - _GAP,
    )
    answers = {
        target["refId"]: client.instant(_expanded(target["expr"]))
        if target.get("instant")
        else client.range(_expanded(target["expr"]), seconds, step_of(seconds))
        for target in panel["targets"]
    }
    return Shown(panel, box, seconds, answers)


def _heading(page: Mapping[str, Any], client: Prometheus) -> Iterator[str]:
    yield svg.text(8, 32, page["title"], size=22, weight=500)
    yield svg.text(_WIDTH - 8, 32, f"{page['time']['from']} to now", anchor="end", color=svg.DIM)
    x = 8.0
    for variable in page["templating"]["list"]:
        label = variable["label"]
        values = _choices(variable, client)
        value = f"All of {len(values)}" if values is not None else "default"
        width = text_width(label, 12) + text_width(value, 12) + 34
        yield svg.rect(x, 46, width, 26, fill="#ffffff", stroke=svg.BORDER)
        yield svg.text(x + 8, 63, label, color=svg.DIM)
        yield svg.text(x + width - 8, 63, value, anchor="end")
        x += width + 8


def _choices(variable: Mapping[str, Any], client: Prometheus) -> list[str] | None:
    if variable["type"] != "query":
        return None
    form = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    return client.label_values(_expanded(form[1]), form[2]) if form else None


def _expanded(expr: str) -> str:
    return _VARIABLE.sub(lambda found: _BUILTIN_VARIABLES.get(found[1], ".*"), expr)


def main() -> int:
    """Run the command line; return 0."""
    parser = ArgumentParser(description="Draw the dashboards as images.")
    parser.add_argument("names", nargs="*", help="dashboards without .json; default: all")
    parser.add_argument("--out", type=Path, default=IMAGES, metavar="FOLDER")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as client:
        for file, text in dashboards(BUILTIN, Options()):
            name = file.removesuffix(".json")
            if not options.names or name in options.names:
                image = image_of(json.loads(text), client)
                (options.out / f"{name}.svg").write_text(image)
                print(f"{name}.svg {len(image) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
