"""Panels before they are Grafana's: what to ask, how it looks, where it turns red."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Literal

Look = Literal["timeseries", "stat", "table", "heatmap", "timeline"]

GREEN, YELLOW, RED, GREY = "green", "yellow", "red", "text"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question in PromQL."""

    expr: str
    legend: str = ""
    exemplar: bool = False
    """Show the traces that the query's raw series point to."""
    instant: bool = False
    """Ask for the latest value only."""


@dataclass(frozen=True)
class Step:
    """From this value on, a colour; None is everything below the first value."""

    value: float | None
    color: str


@dataclass(frozen=True)
class Word:
    """What a value means, and its colour."""

    text: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: where it comes from and how it shows."""

    source: str
    """A label, or ``Value #A`` for the first query."""
    title: str
    unit: str = ""
    steps: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict[str, Word])
    link: str = ""
    empty: str = ""
    """What stands where there is no value."""


@dataclass(frozen=True)
class Link:
    """Where a click on a value leads."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel."""

    look: Look
    title: str
    """Unique within its section: the panel's id follows from both."""
    description: str
    queries: tuple[Query, ...]
    unit: str = ""
    width: int = 8
    height: int = 8
    steps: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict[str, Word])
    columns: tuple[Column, ...] = ()
    links: tuple[Link, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    empty: str = "no data"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False
    """Grafana asks for nothing of it until somebody opens it."""


def below(bound: float) -> tuple[Step, ...]:
    """Red below a bound."""
    return (Step(None, RED), Step(bound, GREEN))


def above(bound: float) -> tuple[Step, ...]:
    """Red from a bound on."""
    return (Step(None, GREEN), Step(bound, RED))


def legend_of(labels: Iterable[str]) -> str:
    """A legend of these labels' values."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def letter(at: int) -> str:
    """What Grafana calls a panel's query: A, B, C."""
    return ascii_uppercase[at]
