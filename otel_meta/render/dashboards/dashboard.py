"""A dashboard as the text of a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from otel_meta.render.header import generated_from

from ._sdk import JSONEncoder, dashboard, models
from .layout import Row, rows
from .panel import Section
from .panel_builders import shaped
from .variables import Variable

TAG: Final = "otel-meta"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A dashboard."""

    uid: str
    title: str
    description: str
    source: str
    """What it was made from."""
    variables: Iterable[Variable]
    sections: Iterable[Section]
    since: str


def text_of(page: Page) -> str:
    """The dashboard in Grafana's JSON, keys sorted."""
    built = _head(page)
    for variable in page.variables:
        built.with_variable(variable)
    for row in rows(section for section in page.sections if section.panels):
        _add(built, row)
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _head(page: Page) -> dashboard.Dashboard:
    built = dashboard.Dashboard(page.title).uid(page.uid).tags([TAG]).timezone("browser")
    built.description(f"{page.description} {generated_from(page.source)}")
    built.time(page.since, "now").refresh("1m").tooltip(models.DashboardCursorSync.CROSSHAIR)
    others = dashboard.DashboardLink("Dashboards").type(models.DashboardLinkType.DASHBOARDS)
    return built.link(others.tags([TAG]).as_dropdown(as_dropdown=True).keep_time(keep_time=True))


def _add(built: dashboard.Dashboard, row: Row) -> None:
    """A folded row holds its panels, an open one is followed by them: that is Grafana's form."""
    heading = dashboard.Row(row.section.title).id(row.id)
    heading.grid_pos(models.GridPos(h=1, w=24, x=0, y=row.y)).collapsed(row.section.folded)
    panels = [shaped(placed) for placed in row.panels]
    if row.section.folded:
        for panel in panels:
            heading.with_panel(panel)
    built.with_row(heading)
    if not row.section.folded:
        for panel in panels:
            built.with_panel(panel)
