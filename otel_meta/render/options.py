"""The choices of a user of the generators.

The commands read them from the table ``[tool.otel_meta]`` of a project and from their own options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from otel_meta.model import Severity
from otel_meta.model.identity import DEFAULT, Identity
from otel_meta.model.slo.correction import Correction

from .hosts import IMAGES
from .links import Links
from .receivers import RECEIVERS, Receivers

SEVERITIES: Final[Mapping[Severity, str]] = MappingProxyType({"page": "page", "ticket": "ticket"})
"""The default words of the label `severity`."""
PROMETHEUS: Final = (2, 42)
"""The oldest Prometheus that loads the default rules."""
ANCHORED: Final = (3, 16)
"""The Prometheus that counts exactly, with ``increase(x[1h] anchored)``.

It needs no flag; older servers need ``--enable-feature=promql-extended-range-selectors``.
"""

ANCHORED_FORMATS: Final = frozenset({"prometheus", "prometheus-operator", "helm"})
"""The formats of rules that Prometheus itself evaluates.

The rulers of Thanos, Mimir and VictoriaMetrics refuse anchored range selectors.
"""

TraceStore = Literal["jaeger", "tempo"]
"""Grafana's type of the data source of traces, to which panels link."""


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """The place of the resources that a Kubernetes operator reads."""

    namespace: str = "observability"
    """Namespace of rules, monitors and Collectors."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """More labels of rules and monitors, by which an operator selects them."""


@dataclass(frozen=True, kw_only=True)
class TicketHours:
    """The working hours in which tickets are sent; outside of them, a ticket waits."""

    time_zone: str
    """Name of the IANA database, such as Europe/Berlin."""
    days: tuple[str, ...] = ("monday:friday",)
    """Days and ranges of days, such as monday:friday."""
    begin: str = "09:00"
    """Local time of the first ticket, HH:MM."""
    end: str = "17:00"
    """Local time after which tickets wait, HH:MM."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """What rules may refer to without a declaration in the catalogue, for ``check --rules``."""

    metrics: tuple[str, ...] = ()
    """Names of metrics; ``*`` stands for any characters, ``?`` for one."""
    labels: tuple[str, ...] = ()
    """Labels of every series, added by scraping or by external labels."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices of the user of the generators."""

    rule_format: str = "prometheus"
    """A key of `otel_meta.render.rules.rule_formats.FORMATS`."""
    identity: Identity = DEFAULT
    links: Links = field(default_factory=Links)
    receivers: Receivers = RECEIVERS
    severities: Mapping[Severity, str] = field(default_factory=lambda: SEVERITIES)
    """The value of the label `severity` for each severity, such as critical for page."""
    alert_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """More labels of every alert."""
    alert_annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    """More annotations of every alert."""
    prometheus: tuple[int, int] = PROMETHEUS
    """Major and minor version of the oldest Prometheus that evaluates the rules."""
    native_histograms: bool = False
    """Whether Prometheus keeps histograms as native ones too, for the rules of SLOs to read."""
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    ticket_hours: TicketHours | None = None
    """Working hours of tickets; None sends tickets at any time."""
    jobs: tuple[str, ...] = ()
    """Names of services that end by themselves, such as a nightly job: their end pages nobody."""
    traces: TraceStore = "jaeger"
    """The kind of data source to which the dashboards' links to traces lead."""
    foreign: Foreign = field(default_factory=Foreign)
    corrections: tuple[Correction, ...] = ()
    """Times whose events count neither as good nor as bad."""
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    """Container images by a key of `IMAGES`, in place of the defaults: by digest, of a mirror."""

    def image(self, name: str) -> str:
        """Return the container image of a program; the name is a key of `IMAGES`."""
        return self.images.get(name, IMAGES[name])

    @property
    def reads_native(self) -> bool:
        """Whether the rules of SLOs read native histograms: only where counts of them are exact."""
        return self.native_histograms and self.anchored

    @property
    def anchored(self) -> bool:
        """Whether the ruler of the format counts exactly, by anchored range selectors."""
        return self.prometheus >= ANCHORED and self.rule_format in ANCHORED_FORMATS
