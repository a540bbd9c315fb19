"""The surroundings of the statuses on a page of SLOs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from otel_meta.model.slo.correction import Correction


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The surroundings of the statuses on a page."""

    title: str
    """Such as "SLOs of shop"."""
    measured_at: float = 0.0
    """Seconds since 1970 of the statuses; a server sets the times of each page."""
    now: float = 0.0
    """Seconds since 1970 of the page."""
    place: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the service, or where the statuses are from."""
    refresh: int = 10
    """Seconds between two refreshes."""
    problem: str = ""
    """Why the statuses are not of now, in one line."""
    hint: str = ""
    """For a page without SLOs: the way to have some."""
    corrections: Sequence[Correction] = ()
    """Times whose events do not count."""
