"""Alerting rules that follow from SLOs, and the declared alerts of a meta-repository.

An SLO has one burn alert per severity; ``or`` joins its window pairs. Burn alerts have no ``for``:
the short window ends an alert soon after the burning ends (SRE workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

from otel_meta.model import BurnWindow, Duration, MetaRepo, Severity, Slo
from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.options import Options

from . import series_names
from .alert_texts import OF_SLO, SERVICE_TEXT, alert_annotations, alert_labels
from .declared_alerts import declared_groups
from .event_counts import event_count
from .promql_builder import equals, lines, number, selector, sum_by
from .rule import AlertRule, Group

_SETTLE: Final = Duration("5m")
_WEEK: Final = Duration("7d")
_BURN_ALERTS: Final[Mapping[Severity, tuple[str, str]]] = {
    "page": ("SloErrorBudgetBurnFast", "will exhaust its error budget within days"),
    "ticket": ("SloErrorBudgetBurnSlow", "will exhaust its error budget before the period ends"),
}


def alerting_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group for each SLO and a group for the declared alerts."""
    for slo in repo.slos.values():
        yield Group(f"{slo.name}-alerts", tuple(slo_alerts(repo, slo, options)))
    yield from declared_groups(repo, options)


def slo_alerts(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    """Yield the alerts of an SLO: budget burning, budget exhausted, no events, no data."""
    yield from _burning(repo, slo, options)
    left = selector(series_names.BUDGET_REMAINING, [equals(series_names.SLO, slo.name)])
    yield _slo_alert(
        repo,
        slo,
        options,
        alert="SloErrorBudgetExhausted",
        severity="page",
        expr=f"{left} <= 0",
        summary=f"{SERVICE_TEXT} does not meet its SLO {slo.name}: the error budget is exhausted",
        description=f"Less than {slo.objective} of its events were good over {slo.period}: "
        f"{{{{ $value | humanizePercentage }}}} of the error budget is left. {slo.why}",
        runbook="slo-budget-exhausted",
        for_=_SETTLE,
    )
    yield from _missing_data(repo, slo, options)


def burn_condition(slo: Slo, window: BurnWindow) -> str:
    """Return the condition of a window pair: both spans burn too fast, with enough bad events."""
    matchers = [equals(series_names.SLO, slo.name)]
    limit = number(window.limit(slo.period, slo.objective.budget))
    long, short = (
        f"{selector(series_names.error_ratio(span), matchers)} > {limit}"
        for span in (window.long, window.short)
    )
    bad = event_count(series_names.BAD, slo, window.long)
    return lines(
        "(", f"  {long}", "  and", f"  {short}", "  and", f"  {bad} >= {slo.min_bad_events}", ")"
    )


def _burning(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    for severity, windows in groupby(slo.burn_windows, key=attrgetter("severity")):
        alert, consequence = _BURN_ALERTS[severity]
        yield _slo_alert(
            repo,
            slo,
            options,
            alert=alert,
            severity=severity,
            expr="\nor\n".join(burn_condition(slo, window) for window in windows),
            summary=f"{SERVICE_TEXT} {consequence}: {slo.name}",
            description="{{ $value | humanizePercentage }} of its recent events are bad; the "
            f"objective is {slo.objective} good events over {slo.period}. {slo.why}",
            runbook="slo-burn",
        )


def _missing_data(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    """Yield an alert for a service without events, and an alert for a service without data."""
    if slo.sli.unit == "events":  # time passes as long as a gauge is reported
        yield _no_events(repo, slo, options)
    total = selector(series_names.TOTAL, [equals(series_names.SLO, slo.name)])
    yield _slo_alert(
        repo,
        slo,
        options,
        alert="SloNoData",
        severity="ticket",
        expr=lines(
            f"max_over_time({total}[{_WEEK}])",
            "unless",
            f"max_over_time({total}[{slo.no_data_after}])",
        ),
        summary=f"{SERVICE_TEXT} has reported no data for {slo.no_data_after}: {slo.name}",
        description="The series of this week are gone: the service is down, its telemetry is "
        "down, or the service was removed. Nobody knows if the SLO is met.",
        runbook="slo-no-data",
        for_=_SETTLE,
    )


def _no_events(repo: type[MetaRepo], slo: Slo, options: Options) -> AlertRule:
    total = selector(series_names.TOTAL, [equals(series_names.SLO, slo.name)])
    reporting = selector(series_names.UP, [equals(series_names.NAMESPACE, repo.name)])
    return _slo_alert(
        repo,
        slo,
        options,
        alert="SloNoEvents",
        severity="ticket",
        expr=lines(
            f"max_over_time({total}[{slo.no_data_after}]) == 0",
            "and",
            # Not of a service that has just been started.
            f"max_over_time({total}[1h] offset {slo.no_data_after})",
            "and on (service_namespace, service_name)",
            sum_by(options.identity.service, reporting, "max"),
        ),
        summary=f"{SERVICE_TEXT} has had no events for {slo.no_data_after}: {slo.name}",
        description="The service reports, but the SLO's events have stopped. Nobody knows if the "
        "SLO is met; check that callers still reach the service.",
        runbook="slo-no-data",
        for_=_SETTLE,
    )


def _slo_alert(
    repo: type[MetaRepo],
    slo: Slo,
    options: Options,
    *,
    alert: str,
    severity: Severity,
    expr: str,
    summary: str,
    description: str,
    runbook: str,
    for_: Duration | None = None,
) -> AlertRule:
    return AlertRule(
        alert=alert,
        expr=expr,
        labels=alert_labels(repo, severity, options) | {"slo": slo.name},
        annotations=alert_annotations(
            options,
            summary=summary,
            description=description,
            runbook=runbook,
            dashboard=SLO_DASHBOARD,
            variables=OF_SLO,
        ),
        for_=for_,
    )
