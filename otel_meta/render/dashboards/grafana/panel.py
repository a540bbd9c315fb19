"""Panels before the SDK builds them: queries, visualization, units and thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, Literal

Visualization = Literal["timeseries", "stat", "table", "heatmap", "state-timeline"]
"""Grafana's identifier of a panel's type."""

GREEN, YELLOW, RED, GREY, INK = "green", "yellow", "red", "#8e8e8e", "text"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A PromQL query of a panel."""

    expr: str
    legend: str = ""
    exemplar: bool = False
    """Show the exemplars of the query's raw series, as dots with links to their traces."""
    instant: bool = False
    """Query only the latest value instead of the dashboard's time range."""
    unit: str = ""
    """The unit of the values, where it is not the unit of the panel."""


@dataclass(frozen=True)
class ThresholdStep:
    """The colour of all values from a value on; the value None is minus infinity."""

    value: float | None
    color: str


@dataclass(frozen=True)
class ValueMapping:
    """The text and the colour that replace a value.

    The value is a number in text, or one of the keys below.
    """

    text: str
    color: str


NO_VALUE: Final = "null"
"""The key of the mapping of an absent value."""
UNBOUNDED: Final = "unbounded"
"""The key of the mapping of all values from `UNBOUNDED_FROM` on, infinity included."""
UNBOUNDED_FROM: Final = 1e9
NO_DATA_TEXT: Final = "no data"
Mappings = tuple[tuple[str, ValueMapping], ...]
NO_DATA_MAPPING: Final = ((NO_VALUE, ValueMapping(NO_DATA_TEXT, GREY)),)
"""Grey for an absent value: without a mapping, it has the colour of the lowest threshold."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    source: str = ""
    """The label that fills the column, or ``Value #A`` for the values of query A."""
    title: str
    unit: str = ""
    decimals: int | None = None
    thresholds: tuple[ThresholdStep, ...] = ()
    mappings: Mappings = ()
    link: str = ""
    width: int | None = None
    """Pixels; without a width, the columns share the rest."""


@dataclass(frozen=True)
class DataLink:
    """A link in the menu of a panel's values."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel, without its position on the dashboard."""

    visualization: Visualization
    title: str
    """Unique within the section: section and title determine the panel's id."""
    description: str
    queries: tuple[Query, ...]
    unit: str = ""
    decimals: int | None = None
    """Decimals of the values; without a number, Grafana chooses, at most one of a percentage."""
    width: int = 8
    height: int = 8
    thresholds: tuple[ThresholdStep, ...] = ()
    mappings: Mappings = ()
    columns: tuple[Column, ...] = ()
    worst_first: str = ""
    """The source of the values by which a table's rows are sorted, lowest first; it needs no
    column."""
    links: tuple[DataLink, ...] = ()
    min: float | None = None
    max: float | None = None
    visible: float | None = None
    """A value that the axis always shows, such as the bound of an alert."""
    symlog: bool = False
    """Draw values above 1 on a logarithmic axis, so that one high line does not flatten others."""
    legend_calculation: str = ""
    """Show the legend as a table beside the chart, sorted by this calculation of each line."""
    legend_descending: bool = False
    no_value: str = NO_DATA_TEXT


@dataclass(frozen=True, kw_only=True)
class Section:
    """Panels under a heading, which is a row in Grafana."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False
    """Show only the heading; Grafana runs the queries after a reader opens the section."""


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """Events that a dashboard marks on each time series."""

    name: str
    expr: str
    """A query that has a series during each event."""
    title: str
    text: str
    color: str = "blue"


def below(bound: float) -> tuple[ThresholdStep, ...]:
    """Return thresholds with red below a bound, and green from the bound on."""
    return (ThresholdStep(None, RED), ThresholdStep(bound, GREEN))


def above(bound: float) -> tuple[ThresholdStep, ...]:
    """Return thresholds with green below a bound, and red from the bound on."""
    return (ThresholdStep(None, GREEN), ThresholdStep(bound, RED))


def legend_of(labels: Iterable[str]) -> str:
    """Return a legend of the labels' values."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def ref_id(index: int) -> str:
    """Return Grafana's name of a panel's query: A for index 0, then B, C."""
    return ascii_uppercase[index]


def values_of(index: int) -> str:
    """Return the name of the field with the values of a table's query."""
    return f"Value #{ref_id(index)}"
