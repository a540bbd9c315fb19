"""A table's columns: one row for what several queries have in common, named and coloured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ._sdk import dashboard, models, table
from .fields import thresholds, value_mappings
from .panel import Column


def columns(built: table.Panel, wanted: Sequence[Column]) -> table.Panel:
    """Join the queries' answers by the labels that they share, and keep these columns."""
    for transformation in _transformations(wanted):
        built.with_transformation(transformation)
    for column in wanted:
        properties = list(_properties(column))
        if properties:
            built.override_by_name(column.title, properties)
    return built.filterable(filterable=True)


def _transformations(wanted: Sequence[Column]) -> Iterator[models.DataTransformerConfig]:
    sources = [column.source for column in wanted]
    named = {column.source: column.title for column in wanted}
    order = {source: at for at, source in enumerate(sources)}
    for name, options in (
        ("merge", {}),
        ("filterFieldsByName", {"include": {"names": sources}}),
        ("organize", {"excludeByName": {}, "indexByName": order, "renameByName": named}),
    ):
        yield models.DataTransformerConfig(id_val=name, options=options)


def _properties(column: Column) -> Iterator[models.DynamicConfigValue]:
    if column.unit:
        yield models.DynamicConfigValue("unit", column.unit)
    if column.empty:
        yield models.DynamicConfigValue("noValue", column.empty)
    if column.steps:
        yield models.DynamicConfigValue("thresholds", thresholds(column.steps).build())
    if column.words:
        yield models.DynamicConfigValue("mappings", value_mappings(column.words))
    if column.steps or column.words:
        yield models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
    if column.link:
        link = dashboard.DashboardLink("Show this one").url(column.link)
        yield models.DynamicConfigValue("links", [link.build()])
