"""Recording and alerting rules as values, before they are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_meta.model import Duration

from .intervals import EVALUATION_INTERVAL


@dataclass(frozen=True)
class Record:
    """A recording rule."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_: Duration | None = None
    """Prometheus' ``for``."""
    keep_firing: Duration | None = None
    """Prometheus' ``keep_firing_for``."""


Rule = Record | AlertRule


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated in order, once in each interval."""

    name: str
    rules: tuple[Rule, ...]
    interval: Duration = EVALUATION_INTERVAL


@dataclass(frozen=True)
class RuleFile:
    """The content of one file."""

    name: str
    """Name without folder and extension, such as ``nebula-cloud-platform.alerting``."""
    source: str
    """The declarations or the file that the rules follow from."""
    groups: tuple[Group, ...]
