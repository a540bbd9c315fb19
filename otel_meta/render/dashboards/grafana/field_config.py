"""Grafana's field configuration: thresholds, value mappings, and the columns of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ._sdk import dashboard, models, table
from .panel import INK, NO_VALUE, UNBOUNDED, UNBOUNDED_FROM, Column, Mappings, Panel, ThresholdStep

_EMPTY: Final = models.DashboardSpecialValueMapOptions
_RANGE: Final = models.DashboardRangeMapOptions


def thresholds_config(steps: Iterable[ThresholdStep]) -> dashboard.ThresholdsConfig:
    """Build absolute thresholds."""
    built = [models.Threshold(value=step.value, color=step.color) for step in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(built)


def value_mappings(mappings: Mappings) -> list[models.ValueMapping]:
    """Build value mappings; their order is the order of Grafana's editor."""
    return [
        _SPECIAL.get(value, _exact(value))(
            models.ValueMappingResult(text=mapping.text, color=mapping.color, index=index)
        )
        for index, (value, mapping) in enumerate(mappings)
    ]


def _exact(value: str) -> Callable[[models.ValueMappingResult], models.ValueMapping]:
    return lambda result: models.ValueMap(options={value: result})


def _empty(result: models.ValueMappingResult) -> models.ValueMapping:
    match = models.SpecialValueMatch.NULL_AND_NAN
    return models.SpecialValueMap(options=_EMPTY(match=match, result=result))


def _unbounded(result: models.ValueMappingResult) -> models.ValueMapping:
    return models.RangeMap(options=_RANGE(from_val=UNBOUNDED_FROM, to=None, result=result))


_SPECIAL: Final[Mapping[str, Callable[[models.ValueMappingResult], models.ValueMapping]]] = (
    MappingProxyType({NO_VALUE: _empty, UNBOUNDED: _unbounded})
)


def add_columns(built: table.Panel, panel: Panel) -> table.Panel:
    """Join the results of a table's queries by their common labels, and add the columns."""
    for transformation in _transformations(panel):
        built.with_transformation(transformation)
    for column in panel.columns:
        overrides = list(_overrides(column))
        if overrides:
            built.override_by_name(column.title, overrides)
    return built.filterable(filterable=True)


def _transformations(panel: Panel) -> Iterator[models.DataTransformerConfig]:
    for name, options in (
        ("merge", {}),
        *_sorting(panel.worst_first),
        *_choice_of_columns(panel.columns),
    ):
        yield models.DataTransformerConfig(id_val=name, options=options)


def _sorting(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if source:
        yield "sortBy", {"fields": {}, "sort": [{"desc": False, "field": source}]}


def _choice_of_columns(columns: Sequence[Column]) -> Iterator[tuple[str, dict[str, Any]]]:
    sources = [column.source for column in columns]
    titles = {column.source: column.title for column in columns}
    order = {source: index for index, source in enumerate(sources)}
    yield "filterFieldsByName", {"include": {"names": sources}}
    yield "organize", {"excludeByName": {}, "indexByName": order, "renameByName": titles}


def _overrides(column: Column) -> Iterator[models.DynamicConfigValue]:
    if column.unit:
        yield models.DynamicConfigValue("unit", column.unit)
    if column.decimals is not None:
        yield models.DynamicConfigValue("decimals", column.decimals)
    if column.thresholds:
        steps = thresholds_config(column.thresholds).build()
        yield models.DynamicConfigValue("thresholds", steps)
    if column.mappings:
        yield models.DynamicConfigValue("mappings", value_mappings(column.mappings))
    if column.thresholds or column.mappings:
        yield models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
    if column.mappings and not column.thresholds:
        # Without thresholds, Grafana colours the values that no mapping replaces grey.
        yield models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": INK})
    if column.width is not None:
        yield models.DynamicConfigValue("custom.width", column.width)
    if column.link:
        link = dashboard.DashboardLink("Show this SLO").url(column.link)
        yield models.DynamicConfigValue("links", [link.build()])
