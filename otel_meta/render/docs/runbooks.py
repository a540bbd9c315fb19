"""Runbooks: a page for each family of alerts, with queries that work as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Alert, Catalog, MetaRepo, Slo
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.intervals import INCREASE_MINUTES
from otel_meta.render.rules.measure_promql import expression
from otel_meta.render.rules.promql_builder import compared, number

from .descriptions import sli_in_words
from .markdown import code, page, table

_SOURCE: Final = "otel_meta/render/docs/runbooks.py"
_AN_SLO: Final = 'slo="NAME" service_name="SERVICE"'
_BY_NAME: Final = 'alertname="{}"'


def runbooks(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Every page: the name that alerts link to, and its text."""
    yield "slo-burn", _burn(catalog)
    yield "slo-budget-exhausted", _exhausted(catalog)
    yield "slo-no-data", _no_data()
    yield "slo-overview", _overview()
    yield from ((repo.name, _declared(repo)) for repo in catalog if repo.alerts)


def _burn(catalog: Catalog) -> str:
    rows = [
        [slo.name, str(slo.objective), str(slo.period), f"{limit}", severity, spans]
        for _, slo in _slos(catalog)
        for severity, limit, spans in _windows(slo)
    ]
    return page(
        "SloBurnsFast, SloBurnsSlowly",
        _SOURCE,
        "**What it means.** A service spends the error budget of an SLO faster than it is given. "
        "*SloBurnsFast* pages: at this pace the budget is gone within days. *SloBurnsSlowly* "
        "opens a ticket: the budget will not last the period. Both the long and the short window "
        "burn, so it is still going on.",
        "## Look at first",
        "Which services burn, and how fast (1 spends the budget in exactly one period):",
        code(f"topk(10, {series.BURN_RATE_1H})", "promql"),
        "How much of the budget is left:",
        code(f"sort({series.BUDGET_REMAINING})", "promql"),
        "Bad events a minute, by SLO and service:",
        code(f"{series.BAD} / {INCREASE_MINUTES}", "promql"),
        "What changed: deployments, configuration, traffic, dependencies. From the SLO dashboard "
        "an exemplar leads to a trace of a bad request, and its trace id to the log lines.",
        "## When it fires",
        "The share of bad events in both windows has to exceed the limit, with at least the SLO's "
        "`min_bad` events behind it.",
        table(["SLO", "objective", "period", "limit", "severity", "windows"], rows),
        _silencing(_AN_SLO),
    )


def _exhausted(catalog: Catalog) -> str:
    rows = [
        [repo.name, slo.name, str(slo.objective), str(slo.period), f"`{sli_in_words(slo.sli)}`"]
        for repo, slo in _slos(catalog)
    ]
    return page(
        "SloBudgetExhausted",
        _SOURCE,
        "**What it means.** Over its whole period, fewer events were good than was promised. The "
        "promise is broken, and stays broken until bad events leave the period behind them.",
        "## Look at first",
        code(f"{series.BUDGET_REMAINING} <= 0", "promql"),
        "Is it still burning? If not, nothing has to be done at once:",
        code(f"{series.BURN_RATE_1H} and {series.BUDGET_REMAINING} <= 0", "promql"),
        "## What to do",
        "Follow the error budget policy: stop risky changes to the service until budget is left "
        "again, and put what caused it first. If the promise is not what users need, change its "
        "objective in the catalogue and say why.",
        "## What is promised",
        table(["meta-repository", "SLO", "objective", "period", "good"], rows),
        _silencing(_AN_SLO),
    )


def _no_data() -> str:
    return page(
        "SloIdle, SloNoData",
        _SOURCE,
        "**What it means.** Nobody knows whether the promise is kept. *SloIdle*: the service "
        "reports, but nothing that the promise is about has happened. *SloNoData*: its series are "
        "gone, though they were there this week.",
        "## Look at first",
        "Does the service report at all?",
        code(f"{series.UP}", "promql"),
        "When were there events last?",
        code(f"sum by (slo, service_name) (increase({series.TOTAL}[6h]) > 0)", "promql"),
        "Is it scraped, or does its Collector export?",
        code("up == 0", "promql"),
        "## What to do",
        "**Idle:** call the service as a user would. If that works, callers have gone; ask them.",
        "**Silent:** is the process up? `/healthz` tells. Is its telemetry? If it cannot deliver, "
        'its log has a line that begins with "cannot export", and `otel_meta_faults_total` on its '
        "/metrics counts why.",
        "**Taken away:** silence the alert for a week; then its series have left the window.",
        _silencing(_AN_SLO),
    )


def _overview() -> str:
    return page(
        "SloErrorBudgetBurningFast, SloComplianceLow, SloMultipleViolations, Watchdog",
        _SOURCE,
        "**What they mean.** A service burns some budget ten times too fast; keeps less than 95 % "
        "of its promises; or broke more than three within a day. *Watchdog* always fires: what it "
        "is routed to raises the alarm when it stops.",
        "## Look at first",
        code(f"sort({series.COMPLIANCE})", "promql"),
        code(f"{series.COMPLIANT} == 0", "promql"),
        code(f"sort_desc({series.VIOLATIONS})", "promql"),
        "Several promises that break together have one cause more often than several: look for a "
        "dependency that the service's SLOs share, before looking at each.",
        _silencing(_BY_NAME.format("SloComplianceLow")),
    )


def _declared(repo: type[MetaRepo]) -> str:
    parts = [part for alert in repo.alerts.values() for part in _alert(repo, alert)]
    source = f"{repo.__module__}.{repo.__qualname__}"
    return page(f"Alerts of {repo.name}", source, f"Owner: {repo.owner}.", *parts)


def _alert(repo: type[MetaRepo], alert: Alert) -> Iterator[str]:
    held = f", for {alert.for_}" if alert.for_ else ""
    yield f"## {alert.name}"
    yield f"**What it means.** {alert.summary} Severity: {alert.severity}."
    yield f"It fires when this is {compared(alert.comparison)}{held}:"
    yield code(expression(alert.measure, repo.name), "promql")
    if alert.first_steps:
        yield f"**Look at first.** {alert.first_steps}"
    yield _silencing(_BY_NAME.format(alert.name))


def _windows(slo: Slo) -> Iterator[tuple[str, str, str]]:
    for window in slo.burn_windows:
        limit = number(window.limit(slo.period, slo.objective.budget))
        yield window.severity, limit, f"{window.long} and {window.short}"


def _slos(catalog: Catalog) -> Iterator[tuple[type[MetaRepo], Slo]]:
    yield from ((repo, slo) for repo in catalog for slo in repo.slos.values())


def _silencing(matchers: str) -> str:
    return "To silence it while you work on it:\n\n" + code(
        f'amtool silence add --duration=2h --comment="who, why" {matchers}', "sh"
    )
