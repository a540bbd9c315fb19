"""Rules before they are text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_meta.model import Duration


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
    """Rules evaluated one after the other, each minute."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class RuleFile:
    """What goes into one file."""

    name: str
    """Without folder and ending, such as ``nebula-cloud-platform.alerting``."""
    source: str
    """What it was made from."""
    groups: tuple[Group, ...]
