"""Panels before the SDK builds them: queries, visualization, units and thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Literal

Visualization = Literal["timeseries", "stat", "table", "heatmap", "state-timeline"]
"""Grafana's identifier of a panel's type."""

GREEN, YELLOW, RED, GREY = "green", "yellow", "red", "text"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A PromQL query of a panel."""

    expr: str
    legend: str = ""
    exemplar: bool = False
    """Show the exemplars of the query's raw series, as dots with links to their traces."""
    instant: bool = False
    """Query only the latest value instead of the dashboard's time range."""


@dataclass(frozen=True)
class ThresholdStep:
    """The colour of all values from a value on; the value None is minus infinity."""

    value: float | None
    color: str


@dataclass(frozen=True)
class ValueMapping:
    """The text and the colour that replace a value."""

    text: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    source: str = ""
    """The label that fills the column, or ``Value #A`` for the values of query A."""
    title: str
    unit: str = ""
    thresholds: tuple[ThresholdStep, ...] = ()
    mappings: Mapping[str, ValueMapping] = field(default_factory=dict[str, ValueMapping])
    link: str = ""
    no_value: str = ""
    """The text of a cell without a value."""


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
    width: int = 8
    height: int = 8
    thresholds: tuple[ThresholdStep, ...] = ()
    mappings: Mapping[str, ValueMapping] = field(default_factory=dict[str, ValueMapping])
    columns: tuple[Column, ...] = ()
    links: tuple[DataLink, ...] = ()
    min: float | None = None
    max: float | None = None
    no_value: str = "no data"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Panels under a heading, which is a row in Grafana."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False
    """Show only the heading; Grafana runs the queries after a reader opens the section."""


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
