"""Panels as the SDK builds them: what all have in common, and each look's own options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ._sdk import (
    Builder,
    HeatmapColorMode,
    PromQueryFormat,
    common,
    common_models,
    dashboard,
    heatmap,
    models,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from .columns import columns
from .fields import thresholds, value_mappings
from .layout import Placed
from .panel import Look, Panel, Query, letter
from .variables import PROMETHEUS

_FORMATS: Final[Mapping[Look, PromQueryFormat]] = MappingProxyType(
    {"table": PromQueryFormat.TABLE, "heatmap": PromQueryFormat.HEATMAP}
)


def shaped(placed: Placed) -> Builder[models.Panel]:
    """A panel in its place."""
    panel = placed.panel
    # Any: the SDK's panels have the same methods, and no class in common that declares them.
    built: Any = _SHAPES[panel.look](panel)
    built.id(placed.id).title(panel.title).description(panel.description)
    built.datasource(PROMETHEUS).targets(list(_targets(panel)))
    built.grid_pos(models.GridPos(h=panel.height, w=panel.width, x=placed.x, y=placed.y))
    built.no_value(panel.empty).data_links([_link(link.title, link.url) for link in panel.links])
    return _with_field_options(built, panel)


def _with_field_options(built: Any, panel: Panel) -> Builder[models.Panel]:
    chosen = {"unit": panel.unit or None, "min": panel.lowest, "max": panel.highest}
    for name, value in chosen.items():
        if value is not None:
            getattr(built, name)(value)
    if panel.steps:
        built.thresholds(thresholds(panel.steps))
    if panel.words:
        built.mappings(value_mappings(panel.words))
    checked: Builder[models.Panel] = built
    return checked


def _targets(panel: Panel) -> Iterable[Builder[Any]]:
    shape = _FORMATS.get(panel.look, PromQueryFormat.TIME_SERIES)
    for at, query in enumerate(panel.queries):
        yield _target(letter(at), query, shape)


def _target(name: str, query: Query, shape: PromQueryFormat) -> Builder[Any]:
    target = prometheus.Dataquery().ref_id(name).expr(query.expr).datasource(PROMETHEUS)
    target.legend_format(query.legend).exemplar(query.exemplar).format(shape)
    return target.instant() if query.instant else target.range()


def _link(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).url(url).target_blank(target_blank=True)


def _timeseries(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    legend.display_mode(common_models.LegendDisplayMode.LIST)
    legend.placement(common_models.LegendPlacement.BOTTOM).calcs([])
    built = timeseries.Panel().legend(legend).tooltip(_tooltip())
    built.line_width(1).fill_opacity(8).show_points(common_models.VisibilityMode.AUTO)
    if panel.steps:
        dashed = common_models.GraphThresholdsStyleMode.DASHED
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    return built


def _stat(panel: Panel) -> stat.Panel:
    graph = common_models.BigValueGraphMode
    still = all(query.instant for query in panel.queries)
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False)
    built = stat.Panel().reduce_options(reduced).graph_mode(graph.NONE if still else graph.AREA)
    built.color_mode(common_models.BigValueColorMode.VALUE)
    return built.text_mode(common_models.BigValueTextMode.AUTO)


def _table(panel: Panel) -> table.Panel:
    built = table.Panel().show_header(show_header=True)
    return columns(built, panel.columns)


def _heatmap(panel: Panel) -> heatmap.Panel:
    color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
    built = heatmap.Panel().calculate(calculate=False).color(color)
    built.y_axis(heatmap.YAxisConfig().unit(panel.unit))
    return built.cell_gap(1).hide_legend()


def _timeline(_: Panel) -> statetimeline.Panel:
    never = common_models.VisibilityMode.NEVER
    built = statetimeline.Panel().show_value(never).merge_values(merge_values=True)
    return built.tooltip(_tooltip())


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)


_SHAPES: Final[Mapping[Look, Callable[[Panel], Any]]] = MappingProxyType(
    {
        "timeseries": _timeseries,
        "stat": _stat,
        "table": _table,
        "heatmap": _heatmap,
        "timeline": _timeline,
    }
)
