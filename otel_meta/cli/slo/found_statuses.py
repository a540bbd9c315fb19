"""The statuses that a command found, from wherever: pages of services, or the fleet."""

from __future__ import annotations

from dataclasses import dataclass

from otel_meta.status.corrections_json import CorrectionJson
from otel_meta.status.status_json import StatusJson


@dataclass(frozen=True, kw_only=True)
class FoundStatuses:
    """Statuses, and what a reader needs to know about them."""

    rows: tuple[StatusJson, ...] = ()
    corrections: tuple[CorrectionJson, ...] = ()
    """The times whose events are excluded, the latest first."""
    notes: tuple[str, ...] = ()
    """Lines such as the hint of a service that tracks no SLO."""
    problems: tuple[str, ...] = ()
    """A line for each server that did not answer."""
