"""A scenario: services, their faults, and what happens to the Prometheus that watches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from alert_quality.services import DAY, HOUR, MINUTE, Labels, Service

EPOCH: Final = 1_760_000_400
"""The Unix time of second 0, a multiple of five minutes."""

Span = tuple[int, int]
"""From a second of the scenario to another."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """An SLO of the catalogue as its rules are to understand it."""

    slo: str
    repository: str
    target: float
    period: int
    """Seconds."""
    bound: float | None = None
    """Seconds of a request that is still good; None if good requests are those without an error."""

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1 - self.target


AVAILABILITY: Final = Objective(
    slo="nebula-api-availability",
    repository="nebula-cloud-platform",
    target=0.999,
    period=30 * DAY,
)
LATENCY: Final = Objective(
    slo="nebula-api-latency",
    repository="nebula-cloud-platform",
    target=0.99,
    period=7 * DAY,
    bound=0.1,
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens, and when its consequences are looked at; seconds of the scenario."""

    name: str
    story: str
    """One sentence for a reader."""
    seconds: int
    services: tuple[Service, ...]
    objective: Objective = AVAILABILITY
    checks: tuple[int, ...]
    """Moments at which budgets are compared with the truth, ten minutes after a fault or later."""
    watched: tuple[Span, ...] = ()
    """Spans in which all rules are evaluated; outside of them, rules only record history."""
    scrape_interval: int = 15
    buckets: tuple[float, ...] = ()
    down: tuple[Span, ...] = ()
    """Prometheus does not run."""
    stalled: tuple[Span, ...] = ()
    """Prometheus scrapes, and evaluates nothing."""
    rules_from: int = 0
    """The rules are loaded then."""
    out_of_order: int = 0
    """Seconds that a sample may be late."""
    scrapers: tuple[Labels, ...] = field(default_factory=lambda: ({},))
    """Labels of each server that scrapes the services into one store."""


def around(start: int, seconds: int) -> tuple[Span, ...]:
    """Return the usual spans of a fault: twenty minutes before, four hours after, and the end."""
    return (start - 20 * MINUTE, start + 4 * HOUR), (seconds - 12 * MINUTE, seconds)
