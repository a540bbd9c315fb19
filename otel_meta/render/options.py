"""The choices of a user of the generators."""

from __future__ import annotations

from dataclasses import dataclass, field

from otel_meta.model.identity import Identity

from .links import Links
from .receivers import RECEIVERS, Receivers


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices of the user: the ruler's format, the base of links, the receivers of alerts."""

    rule_format: str = "prometheus"
    identity: Identity = field(default_factory=Identity)
    links: Links = field(default_factory=Links)
    receivers: Receivers = RECEIVERS
