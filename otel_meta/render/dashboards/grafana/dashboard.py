"""Dashboards, and their JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from otel_meta.render.header import generated_from

from ._sdk import Builder, JSONEncoder, dashboard, models
from .layout import Row, position_rows
from .literals import literal
from .panel import Annotation, Section
from .panel_builders import build_panel
from .sources import PROMETHEUS

TAG: Final = "otel-meta"
Variable = Builder[models.VariableModel]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A dashboard, before the SDK builds it."""

    uid: str
    title: str
    description: str
    source: str
    """The declarations behind the dashboard, which the description names."""
    variables: Iterable[Variable]
    sections: Iterable[Section]
    annotations: Iterable[Annotation] = ()
    time_from: str
    """Start of the default time range, such as ``now-6h``; the end is now."""


def to_json(page: Page) -> str:
    """Render a dashboard as Grafana's JSON with sorted keys; omit sections without panels."""
    built = _without_panels(page)
    for variable in page.variables:
        built.with_variable(variable)
    for annotation in page.annotations:
        built.annotation(_annotation(annotation))
    for row in position_rows(section for section in page.sections if section.panels):
        _add_row(built, row)
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _without_panels(page: Page) -> dashboard.Dashboard:
    built = dashboard.Dashboard(page.title).uid(page.uid).tags([TAG]).timezone("browser")
    built.description(literal(f"{page.description} {generated_from(page.source)}"))
    built.time(page.time_from, "now").refresh("1m").tooltip(models.DashboardCursorSync.CROSSHAIR)
    menu = dashboard.DashboardLink("Dashboards").type(models.DashboardLinkType.DASHBOARDS)
    return built.link(menu.tags([TAG]).as_dropdown(as_dropdown=True).keep_time(keep_time=True))


def _annotation(annotation: Annotation) -> dashboard.AnnotationQuery:
    built = dashboard.AnnotationQuery().name(annotation.name).datasource(PROMETHEUS)
    built.enable(enable=True).hide(hide=False).icon_color(annotation.color)
    built.expr(annotation.expr).step("60s")
    return built.title_format(annotation.title).text_format(annotation.text)


def _add_row(built: dashboard.Dashboard, row: Row) -> None:
    """Add a row; in Grafana's schema a collapsed row contains its panels, an open row does not."""
    heading = dashboard.Row(row.section.title).id(row.id)
    heading.grid_pos(models.GridPos(h=1, w=24, x=0, y=row.y)).collapsed(row.section.collapsed)
    panels = [build_panel(positioned) for positioned in row.panels]
    if row.section.collapsed:
        for panel in panels:
            heading.with_panel(panel)
    built.with_row(heading)
    if not row.section.collapsed:
        for panel in panels:
            built.with_panel(panel)
