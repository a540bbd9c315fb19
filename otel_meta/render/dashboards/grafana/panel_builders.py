"""Builds panels with the SDK: first the options of all panels, then of each visualization."""

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
from .field_config import add_columns, thresholds_config, value_mappings
from .layout import PositionedPanel
from .literals import literal
from .panel import Panel, Query, Visualization, ref_id
from .sources import PROMETHEUS

_SORT_KEYS: Final = MappingProxyType({"lastNotNull": "Last *", "max": "Max"})
"""The column of a legend's table, which Grafana names after the calculation."""
_FORMATS: Final[Mapping[Visualization, PromQueryFormat]] = MappingProxyType(
    {"table": PromQueryFormat.TABLE, "heatmap": PromQueryFormat.HEATMAP}
)


def build_panel(positioned: PositionedPanel) -> Builder[models.Panel]:
    """Build a panel at its position."""
    panel = positioned.panel
    # Any: the SDK's panels have the same methods, but no common class declares them.
    built: Any = _BUILDERS[panel.visualization](panel)
    built.id(positioned.id).title(literal(panel.title)).description(literal(panel.description))
    built.datasource(PROMETHEUS).targets(list(_targets(panel)))
    built.grid_pos(models.GridPos(h=panel.height, w=panel.width, x=positioned.x, y=positioned.y))
    built.no_value(panel.no_value).data_links([_link(link.title, link.url) for link in panel.links])
    return _with_field_options(built, panel)


def _with_field_options(built: Any, panel: Panel) -> Builder[models.Panel]:
    options = {
        "unit": panel.unit or None,
        "decimals": panel.decimals,
        "min": panel.min,
        "max": panel.max,
    }
    for name, value in options.items():
        if value is not None:
            getattr(built, name)(value)
    if panel.thresholds:
        built.thresholds(thresholds_config(panel.thresholds))
    if panel.mappings:
        built.mappings(value_mappings(panel.mappings))
    for index, query in enumerate(panel.queries):
        if query.unit:
            built.override_by_query(ref_id(index), [models.DynamicConfigValue("unit", query.unit)])
    typed: Builder[models.Panel] = built
    return typed


def _targets(panel: Panel) -> Iterable[Builder[Any]]:
    result_format = _FORMATS.get(panel.visualization, PromQueryFormat.TIME_SERIES)
    for index, query in enumerate(panel.queries):
        yield _target(ref_id(index), query, result_format)


def _target(name: str, query: Query, result_format: PromQueryFormat) -> Builder[Any]:
    target = prometheus.Dataquery().ref_id(name).expr(query.expr).datasource(PROMETHEUS)
    target.legend_format(query.legend).exemplar(query.exemplar).format(result_format)
    return target.instant() if query.instant else target.range()


def _link(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).url(url).target_blank(target_blank=True)


def _timeseries(panel: Panel) -> timeseries.Panel:
    built = timeseries.Panel().legend(_legend(panel)).tooltip(_tooltip())
    built.line_width(1).fill_opacity(8).show_points(common_models.VisibilityMode.AUTO)
    if panel.thresholds:
        dashed = common_models.GraphThresholdsStyleMode.DASHED
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    if panel.visible is not None:
        built.axis_soft_min(panel.visible).axis_soft_max(panel.visible)
    if panel.symlog:
        symlog = common.ScaleDistributionConfig().type(common_models.ScaleDistribution.SYMLOG)
        built.scale_distribution(symlog.log(10).linear_threshold(1))
    return built


def _legend(panel: Panel) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    if not panel.legend_calculation:
        legend.display_mode(common_models.LegendDisplayMode.LIST)
        return legend.placement(common_models.LegendPlacement.BOTTOM).calcs([])
    legend.display_mode(common_models.LegendDisplayMode.TABLE)
    legend.placement(common_models.LegendPlacement.RIGHT).calcs([panel.legend_calculation])
    legend.sort_by(_SORT_KEYS[panel.legend_calculation])
    return legend.sort_desc(sort_desc=panel.legend_descending)


def _stat(panel: Panel) -> stat.Panel:
    graph = common_models.BigValueGraphMode
    instant = all(query.instant for query in panel.queries)
    last_value = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False)
    built = stat.Panel().reduce_options(last_value)
    built.graph_mode(graph.NONE if instant else graph.AREA)
    built.color_mode(common_models.BigValueColorMode.VALUE)
    return built.text_mode(common_models.BigValueTextMode.AUTO)


def _table(panel: Panel) -> table.Panel:
    built = table.Panel().show_header(show_header=True)
    return add_columns(built, panel)


def _heatmap(panel: Panel) -> heatmap.Panel:
    color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
    built = heatmap.Panel().calculate(calculate=False).color(color)
    built.y_axis(heatmap.YAxisConfig().unit(panel.unit))
    return built.cell_gap(1).hide_legend()


def _state_timeline(_: Panel) -> statetimeline.Panel:
    never = common_models.VisibilityMode.NEVER
    built = statetimeline.Panel().show_value(never).merge_values(merge_values=True)
    return built.tooltip(_tooltip())


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)


_BUILDERS: Final[Mapping[Visualization, Callable[[Panel], Any]]] = MappingProxyType(
    {
        "timeseries": _timeseries,
        "stat": _stat,
        "table": _table,
        "heatmap": _heatmap,
        "state-timeline": _state_timeline,
    }
)
