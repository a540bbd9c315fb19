"""Grafana's field configuration: thresholds, value mappings, and the columns of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ._sdk import dashboard, models, table
from .panel import Column, ThresholdStep, ValueMapping


def thresholds_config(steps: Iterable[ThresholdStep]) -> dashboard.ThresholdsConfig:
    """Build absolute thresholds."""
    built = [models.Threshold(value=step.value, color=step.color) for step in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(built)


def value_mappings(mappings: Mapping[str, ValueMapping]) -> list[models.ValueMapping]:
    """Build value mappings; their order is the order of Grafana's editor."""
    options = {
        value: models.ValueMappingResult(text=mapping.text, color=mapping.color, index=index)
        for index, (value, mapping) in enumerate(mappings.items())
    }
    return [models.ValueMap(options=options)]


def add_columns(built: table.Panel, columns: Sequence[Column]) -> table.Panel:
    """Join the results of a table's queries by their common labels, and add the columns."""
    for transformation in _transformations(columns):
        built.with_transformation(transformation)
    for column in columns:
        overrides = list(_overrides(column))
        if overrides:
            built.override_by_name(column.title, overrides)
    return built.filterable(filterable=True)


def _transformations(columns: Sequence[Column]) -> Iterator[models.DataTransformerConfig]:
    sources = [column.source for column in columns]
    titles = {column.source: column.title for column in columns}
    order = {source: index for index, source in enumerate(sources)}
    for name, options in (
        ("merge", {}),
        ("filterFieldsByName", {"include": {"names": sources}}),
        ("organize", {"excludeByName": {}, "indexByName": order, "renameByName": titles}),
    ):
        yield models.DataTransformerConfig(id_val=name, options=options)


def _overrides(column: Column) -> Iterator[models.DynamicConfigValue]:
    if column.unit:
        yield models.DynamicConfigValue("unit", column.unit)
    if column.no_value:
        yield models.DynamicConfigValue("noValue", column.no_value)
    if column.thresholds:
        steps = thresholds_config(column.thresholds).build()
        yield models.DynamicConfigValue("thresholds", steps)
    if column.mappings:
        yield models.DynamicConfigValue("mappings", value_mappings(column.mappings))
    if column.thresholds or column.mappings:
        yield models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
    if column.link:
        link = dashboard.DashboardLink("Show this SLO").url(column.link)
        yield models.DynamicConfigValue("links", [link.build()])
