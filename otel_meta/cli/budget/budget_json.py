"""What an error budget means, as plain values: the form of ``otel-meta budget --json``."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Final, NotRequired, TypedDict

from otel_meta.model import BurnWindow, Duration, MetaRepo, Slo
from otel_meta.model.slo.budget_plan import Outage, PlannedAlert
from otel_meta.render.docs.events_text import counted_text
from otel_meta.render.options import Options
from otel_meta.render.rules.sli_promql import Scope, increments
from otel_meta.status.status import Status
from otel_meta.status.status_json import StatusJson

from .budget_replay import ReplayJson

OUTAGES: Final = (Fraction(1), Fraction(1, 10), Fraction(1, 100))
"""Shares of bad events."""
_QUERY_SPAN: Final = Duration("1h")


class WindowJson(TypedDict):
    """The condition of a burn-rate alert."""

    severity: str
    long: str
    short: str
    burn_rate: float
    """Burn rate above which the alert fires."""
    bad_share: float
    """Share of bad events above which the alert fires."""
    budget_spent: float
    """Share of the budget of the period that this burn rate spends in the long window."""


class AlertJson(TypedDict):
    """The alert of a window during an outage."""

    severity: str
    long: str
    short: str
    fires_after_seconds: float | None
    budget_spent: float | None
    obstacle: str | None


class OutageJson(TypedDict):
    """An outage from now on."""

    bad_share: float
    budget_lasts_seconds: float
    """With a whole error budget."""
    left_lasts_seconds: float
    """With the error budget that is left."""
    alerts: list[AlertJson]


class ServiceBudgetJson(TypedDict):
    """The error budget of a service, or of any service if no traffic is known."""

    service: dict[str, str]
    events: float | None
    """Events in a period; seconds for time slices; null if the traffic is not known."""
    budget_left: float
    bad_events_allowed: int | None
    bad_events_left: int | None
    outages: list[OutageJson]


class BudgetJson(TypedDict):
    """An SLO and its error budget."""

    name: str
    repo: str
    owner: str
    why: str
    objective: str
    period: str
    unit: str
    error_budget: float
    """Share of events that may be bad."""
    counted: str
    """The events, and the condition of a bad or a good one."""
    bad_query: str
    """The expression of the bad events of an hour, by service."""
    min_bad_events: int
    windows: list[WindowJson]
    budgets: list[ServiceBudgetJson]
    statuses: list[StatusJson]
    replay: NotRequired[list[ReplayJson]]


def budget_json(
    repo: type[MetaRepo], slo: Slo, budgets: list[ServiceBudgetJson], options: Options
) -> BudgetJson:
    """Return the declaration of an SLO with the budgets of services."""
    return {
        "name": slo.name,
        "repo": repo.name,
        "owner": repo.owner,
        "why": slo.why,
        "objective": str(slo.objective),
        "period": str(slo.period),
        "unit": slo.sli.unit,
        "error_budget": float(slo.objective.budget),
        "counted": counted_text(slo),
        "bad_query": increments(slo.sli, Scope(repo.name, _QUERY_SPAN, options)).bad,
        "min_bad_events": slo.min_bad_events,
        "windows": [_window(slo, window) for window in slo.burn_windows],
        "budgets": budgets,
        "statuses": [],
    }


def declared_budget(slo: Slo, events: int | None = None) -> ServiceBudgetJson:
    """Return a whole error budget.

    Args:
        slo: the SLO.
        events: events in a period.
    """
    return _budget(slo, {}, None if events is None else Fraction(events), Fraction(1))


def service_budget(status: Status, events: int | None = None) -> ServiceBudgetJson:
    """Return the error budget of a service.

    Args:
        status: its status.
        events: events in a period; by default as many as the status counted.
    """
    left = status.budget.left
    known = _events(status) if events is None else Fraction(events)
    return _budget(status.slo, status.service, known, Fraction(1) if left is None else left)


def _events(status: Status) -> Fraction | None:
    """Return the events of a period, as many in the rest of it as in the covered part."""
    if status.budget.left is None or not status.covered:
        return None
    return Fraction(status.events.total) / Fraction(status.coverage)


def _budget(
    slo: Slo, service: Mapping[str, str], events: Fraction | None, left: Fraction
) -> ServiceBudgetJson:
    allowed = None if events is None else events * slo.objective.budget
    traffic = None if events is None else events / slo.period.seconds
    return {
        "service": dict(service),
        "events": None if events is None else float(events),
        "budget_left": float(left),
        "bad_events_allowed": None if allowed is None else floor(allowed),
        "bad_events_left": None if allowed is None else floor(allowed * left),
        "outages": [
            _outage(Outage(slo=slo, bad_share=share, events_per_second=traffic), left)
            for share in OUTAGES
        ],
    }


def _outage(outage: Outage, left: Fraction) -> OutageJson:
    return {
        "bad_share": float(outage.bad_share),
        "budget_lasts_seconds": float(outage.seconds_for(Fraction(1))),
        "left_lasts_seconds": float(outage.seconds_for(max(left, Fraction(0)))),
        "alerts": [_alert(alert) for alert in outage.alerts()],
    }


def _alert(alert: PlannedAlert) -> AlertJson:
    return {
        "severity": alert.window.severity,
        "long": str(alert.window.long),
        "short": str(alert.window.short),
        "fires_after_seconds": None if alert.fires_after is None else float(alert.fires_after),
        "budget_spent": None if alert.spent is None else float(alert.spent),
        "obstacle": alert.obstacle,
    }


def _window(slo: Slo, window: BurnWindow) -> WindowJson:
    return {
        "severity": window.severity,
        "long": str(window.long),
        "short": str(window.short),
        "burn_rate": float(window.burn_rate(slo.period)),
        "bad_share": float(window.limit(slo.period, slo.objective.budget)),
        "budget_spent": float(window.budget_spent),
    }
