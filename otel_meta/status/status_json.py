"""The status of an SLO as plain values: the form of /slo, of ``--json`` and of every page."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from .sli_text import event_noun, sli_text
from .status import Status


class BurningJson(TypedDict):
    """A burn window whose condition is true."""

    severity: str
    long: str
    short: str
    above: float
    """The burn rate above which its alert fires."""


class StatusJson(TypedDict):
    """Status of an SLO of a service; null without data."""

    name: str
    repo: str
    owner: str
    service: dict[str, str]
    state: str
    objective: str
    period: str
    why: str
    good_event: str
    """The condition of a good event, with the names of Prometheus."""
    sli: float | None
    unit: str
    noun: str
    """The plural noun of the events, such as requests; seconds for time slices."""
    good: float
    bad: float
    total: float
    excluded_bad: float
    excluded_total: float
    budget_left: float | None
    burn_rates: dict[str, float | None]
    burning: list[BurningJson]
    firing: list[dict[str, str]]
    exhausted_in_seconds: float | None
    covered_seconds: float
    coverage: float
    required_coverage: float
    burn_down: list[tuple[float, float]]
    links: NotRequired[dict[str, str]]


def status_json(status: Status) -> StatusJson:
    """Return the plain values of a status."""
    bad, total = status.events
    left = status.budget.left
    return {
        "name": status.slo.name,
        "repo": status.repo,
        "owner": status.owner,
        "service": dict(status.service),
        "state": status.state,
        "objective": str(status.slo.objective),
        "period": str(status.slo.period),
        "why": status.slo.why,
        "good_event": sli_text(status.slo.sli),
        "sli": status.sli,
        "unit": status.slo.sli.unit,
        "noun": event_noun(status.slo.sli),
        "good": total - bad,
        "bad": bad,
        "total": total,
        "excluded_bad": status.excluded.bad,
        "excluded_total": status.excluded.total,
        "budget_left": None if left is None else float(left),
        "burn_rates": status.burn_rates,
        "burning": [
            {
                "severity": window.severity,
                "long": str(window.long),
                "short": str(window.short),
                "above": float(window.burn_rate(status.slo.period)),
            }
            for window in status.burning
        ],
        "firing": [alert._asdict() for alert in status.firing],
        "exhausted_in_seconds": status.exhausted_in,
        "covered_seconds": round(status.covered, 1),
        "coverage": status.coverage,
        "required_coverage": status.required_coverage,
        "burn_down": [(ago, left) for ago, left in status.burn_down],
    }
