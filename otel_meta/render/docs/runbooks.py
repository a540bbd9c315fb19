"""Runbooks: a page for each family of alerts, with complete queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Alert, Catalog, MetaRepo, Slo
from otel_meta.model.self_metrics import FAULTS
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_MINUTES
from otel_meta.render.rules.measure_promql import expression
from otel_meta.render.rules.promql_builder import compared, number

from .descriptions import sli_text
from .markdown import code, page, table
from .overview_runbook import overview_runbook
from .silences import silencing
from .telemetry_runbook import telemetry_runbook

_SOURCE: Final = "otel_meta/render/docs/runbooks.py"
_AN_SLO: Final = 'slo="NAME" service_name="SERVICE"'
_BY_NAME: Final = 'alertname="{}"'


def runbooks(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page; alerts link to the names."""
    yield "slo-burn", _burn(catalog)
    yield "slo-budget-exhausted", _exhausted(catalog)
    yield "slo-no-data", _no_data()
    yield "slo-overview", overview_runbook()
    yield "telemetry", telemetry_runbook(catalog)
    yield from ((repo.name, _declared(repo)) for repo in catalog if repo.alerts)


def _burn(catalog: Catalog) -> str:
    rows = [
        [slo.name, str(slo.objective), str(slo.period), limit, severity, spans]
        for _, slo in _slos(catalog)
        for severity, limit, spans in _windows(slo)
    ]
    return page(
        "SloErrorBudgetBurnFast, SloErrorBudgetBurnSlow",
        _SOURCE,
        "**Meaning.** A service burns the error budget of an SLO at a rate above 1. "
        "*SloErrorBudgetBurnFast* pages: at this burn rate the budget is exhausted within days. "
        "*SloErrorBudgetBurnSlow* opens a ticket: the budget will be exhausted before the period "
        "ends. The short window burns as well as the long window, so the burning continues.",
        "## First steps",
        "Find the services and their burn rates (1 spends the budget in exactly one period):",
        code(f"topk(10, {series_names.BURN_RATE_1H})", "promql"),
        "Find the error budget left:",
        code(f"sort({series_names.BUDGET_REMAINING})", "promql"),
        "Find the bad events per minute, by SLO and service:",
        code(f"{series_names.BAD} / {INCREASE_MINUTES}", "promql"),
        "Look for a change: deployments, configuration, traffic, dependencies. From the SLO "
        "dashboard an exemplar leads to the trace of a bad request, and the trace id to the log "
        "lines.",
        "## Condition",
        "The alert fires when the share of bad events is above the limit in both windows, and the "
        "long window has at least the SLO's `min_bad_events`.",
        table(["SLO", "objective", "period", "limit", "severity", "windows"], rows),
        silencing(_AN_SLO),
    )


def _exhausted(catalog: Catalog) -> str:
    rows = [
        [repo.name, slo.name, str(slo.objective), str(slo.period), f"`{sli_text(slo.sli)}`"]
        for repo, slo in _slos(catalog)
    ]
    return page(
        "SloErrorBudgetExhausted",
        _SOURCE,
        "**Meaning.** The error budget is exhausted: over the whole period, the share of good "
        "events is below the objective. The SLO is not met until enough bad events are older than "
        "the period.",
        "## First steps",
        code(f"{series_names.BUDGET_REMAINING} <= 0", "promql"),
        "Find the burn rate. At a burn rate of 0 no immediate action is necessary:",
        code(f"{series_names.BURN_RATE_1H} and {series_names.BUDGET_REMAINING} <= 0", "promql"),
        "## Actions",
        "Follow the error budget policy: stop risky changes to the service until budget is left "
        "again, and give priority to the cause. If users do not need this objective, change the "
        "objective in the catalogue and record the reason.",
        "## Objectives",
        table(["meta-repository", "SLO", "objective", "period", "good"], rows),
        silencing(_AN_SLO),
    )


def _no_data() -> str:
    return page(
        "SloNoEvents, SloNoData",
        _SOURCE,
        "**Meaning.** Nobody knows if the SLO is met. *SloNoEvents*: the service reports, but the "
        "SLO's events have stopped. *SloNoData*: the series of this week are gone.",
        "## First steps",
        "Check that the service reports:",
        code(series_names.UP, "promql"),
        "Find the services with events in the last six hours:",
        code(
            f"sum by (slo, service_name) (increase({series_names.TOTAL}[6h]) > 0)",
            "promql",
        ),
        "Check that Prometheus scrapes the service, or that its Collector exports:",
        code("up == 0", "promql"),
        "## Actions",
        "**No events:** call the service as a user would. If the call works, the callers have "
        "stopped; ask them.",
        "**No data:** check the process with `/healthz`, then the telemetry. If the process cannot "
        'deliver, its log has a line that begins with "cannot export", and '
        f"`{FAULTS.prometheus_name}` on its /metrics counts the reasons.",
        "**Service removed:** silence the alert for a week. Then the alert ends.",
        silencing(_AN_SLO),
    )


def _declared(repo: type[MetaRepo]) -> str:
    parts = [part for alert in repo.alerts.values() for part in _alert(repo, alert)]
    source = f"{repo.__module__}.{repo.__qualname__}"
    return page(f"Alerts of {repo.name}", source, f"Owner: {repo.owner}.", *parts)


def _alert(repo: type[MetaRepo], alert: Alert) -> Iterator[str]:
    duration = f", for {alert.for_}" if alert.for_ else ""
    yield f"## {alert.name}"
    yield f"**Meaning.** {alert.summary} Severity: {alert.severity}."
    yield f"The alert fires when this is {compared(alert.comparison)}{duration}:"
    yield code(expression(alert.measure, repo.name), "promql")
    if alert.first_steps:
        yield f"**First steps.** {alert.first_steps}"
    yield silencing(_BY_NAME.format(alert.name))


def _windows(slo: Slo) -> Iterator[tuple[str, str, str]]:
    for window in slo.burn_windows:
        limit = number(window.limit(slo.period, slo.objective.budget))
        yield window.severity, limit, f"{window.long} and {window.short}"


def _slos(catalog: Catalog) -> Iterator[tuple[type[MetaRepo], Slo]]:
    yield from ((repo, slo) for repo in catalog for slo in repo.slos.values())
