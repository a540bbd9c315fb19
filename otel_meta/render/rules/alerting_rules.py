"""Alerting rules: what follows from each SLO, and what a repository declares besides.

One alert a severity, its window pairs joined by ``or``; nothing waits with ``for`` there, since the
short window already ends an alert that is over (SRE workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

from otel_meta.model import Alert, BurnWindow, Duration, MetaRepo, Severity, Slo
from otel_meta.render.links import SLO_DASHBOARD, Links, repo_dashboard

from . import series_names as series
from .events import counted
from .measure_promql import expression
from .promql_builder import equals, lines, number, selector, sum_by
from .rule import AlertRule, Group

_SETTLE: Final = Duration("5m")
_WEEK: Final = Duration("7d")
_BURNS: Final[Mapping[Severity, tuple[str, str]]] = {
    "page": ("SloBurnsFast", "burns its error budget so fast that it is gone within days"),
    "ticket": ("SloBurnsSlowly", "burns its error budget faster than it is given"),
}


def alerting_groups(repo: type[MetaRepo], links: Links) -> Iterator[Group]:
    """One group an SLO, and one for the alerts that are declared."""
    for slo in repo.slos.values():
        yield Group(f"{slo.name}-alerts", tuple(slo_alerts(repo, slo, links)))
    declared = tuple(_declared(repo, alert, links) for alert in repo.alerts.values())
    if declared:
        yield Group(f"{repo.name}-alerts", declared)


def slo_alerts(repo: type[MetaRepo], slo: Slo, links: Links) -> Iterator[AlertRule]:
    """What can go wrong with an SLO: it burns, it is broken, nobody calls, nothing reports."""
    yield from _burning(repo, slo, links)
    mine = [equals(series.SLO, slo.name)]
    yield AlertRule(
        alert="SloBudgetExhausted",
        expr=f"{selector(series.BUDGET_REMAINING, mine)} <= 0",
        labels=_labels(repo, "page") | {"slo": slo.name},
        annotations=_annotations(
            f"{{{{ $labels.service_name }}}} has broken its promise {slo.name}",
            f"Less than {slo.objective} of its events were good over {slo.period}: "
            f"{{{{ $value | humanizePercentage }}}} of the error budget is left. {slo.why}",
            links.runbook("slo-budget-exhausted"),
            links.dashboard(SLO_DASHBOARD),
        ),
        for_=_SETTLE,
    )
    yield from _silence(repo, slo, links)


def burn_condition(slo: Slo, window: BurnWindow) -> str:
    """Both windows burn too fast, and enough bad events stand behind it to mean something."""
    mine = [equals(series.SLO, slo.name)]
    limit = number(window.limit(slo.period, slo.objective.budget))
    long, short = (
        f"{selector(series.error_ratio(span), mine)} > {limit}"
        for span in (window.long, window.short)
    )
    bad = counted(series.BAD, slo, window.long)
    return lines(
        "(", f"  {long}", "  and", f"  {short}", "  and", f"  {bad} >= {slo.min_bad_events}", ")"
    )


def _burning(repo: type[MetaRepo], slo: Slo, links: Links) -> Iterator[AlertRule]:
    for severity, windows in groupby(slo.burn_windows, key=attrgetter("severity")):
        name, burns = _BURNS[severity]
        yield AlertRule(
            alert=name,
            expr="\nor\n".join(burn_condition(slo, window) for window in windows),
            labels=_labels(repo, severity) | {"slo": slo.name},
            annotations=_annotations(
                f"{{{{ $labels.service_name }}}} {burns}: {slo.name}",
                "{{ $value | humanizePercentage }} of its events are bad, where "
                f"{slo.objective} over {slo.period} have to be good. {slo.why}",
                links.runbook("slo-burn"),
                links.dashboard(SLO_DASHBOARD),
            ),
        )


def _silence(repo: type[MetaRepo], slo: Slo, links: Links) -> Iterator[AlertRule]:
    """No data, told apart: a service that reports but has no events, and one that is silent."""
    if slo.sli.unit == "events":  # time passes as long as a gauge is reported
        yield _idle(repo, slo, links)
    total = selector(series.TOTAL, [equals(series.SLO, slo.name)])
    yield AlertRule(
        alert="SloNoData",
        expr=lines(
            f"max_over_time({total}[{_WEEK}])",
            "unless",
            f"max_over_time({total}[{slo.no_data_after}])",
        ),
        labels=_labels(repo, "ticket") | {"slo": slo.name},
        annotations=_annotations(
            f"{{{{ $labels.service_name }}}} has reported nothing for {slo.no_data_after}: "
            f"{slo.name}",
            "Its series are gone, though they were there this week: the service is down, its "
            "telemetry is, or it was taken away. The promise is neither kept nor broken.",
            links.runbook("slo-no-data"),
            links.dashboard(SLO_DASHBOARD),
        ),
        for_=_SETTLE,
    )


def _idle(repo: type[MetaRepo], slo: Slo, links: Links) -> AlertRule:
    total = selector(series.TOTAL, [equals(series.SLO, slo.name)])
    reporting = selector(series.UP, [equals(series.NAMESPACE, repo.name)])
    return AlertRule(
        alert="SloIdle",
        expr=lines(
            f"max_over_time({total}[{slo.no_data_after}]) == 0",
            "and",
            # A service that has just been started is not idle.
            f"max_over_time({total}[1h] offset {slo.no_data_after})",
            "and on (service_namespace, service_name)",
            sum_by(series.SERVICE_LABELS, reporting, "max"),
        ),
        labels=_labels(repo, "ticket") | {"slo": slo.name},
        annotations=_annotations(
            f"{{{{ $labels.service_name }}}} has had no events for {slo.no_data_after}: {slo.name}",
            "It reports, but nothing that the promise is about has happened. Whether it is kept is "
            "not known; check that callers still reach it.",
            links.runbook("slo-no-data"),
            links.dashboard(SLO_DASHBOARD),
        ),
        for_=_SETTLE,
    )


def _declared(repo: type[MetaRepo], alert: Alert, links: Links) -> AlertRule:
    operator, bound = (">", alert.above) if alert.above is not None else ("<", alert.below or 0.0)
    return AlertRule(
        alert=alert.name,
        expr=_compared(expression(alert.measure, repo.name), operator, number(bound)),
        labels=_labels(repo, alert.severity),
        annotations=_annotations(
            alert.summary.rstrip("."),
            f"{alert.summary} It stands at {{{{ $value | humanize }}}}, the bound is {operator} "
            f"{number(bound)}.",
            links.runbook(f"{repo.name}"),
            links.dashboard(repo_dashboard(repo.name)),
        ),
        for_=alert.for_,
    )


def _compared(expr: str, operator: str, bound: str) -> str:
    if "\n" not in expr:
        return f"{expr} {operator} {bound}"
    return lines("(", expr, ")", f"{operator} {bound}")


def _labels(repo: type[MetaRepo], severity: Severity) -> dict[str, str]:
    return {"meta_repository": repo.name, "severity": severity, "team": repo.owner}


def _annotations(summary: str, description: str, runbook: str, dashboard: str) -> dict[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": runbook,
        "dashboard_url": dashboard,
    }
