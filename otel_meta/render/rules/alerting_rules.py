"""Alerting rules that follow from SLOs, with the recordings that they need at the same moment.

An SLO has one burn alert per severity; ``or`` joins its window pairs. Burn alerts have no ``for``:
the short window ends an alert soon after the burning ends (SRE workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

from otel_meta.model import Duration, MetaRepo, Severity, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.model.slo.objective import LEAST_COVERAGE
from otel_meta.render.options import Options
from otel_meta.status.slo_links import SLO_DASHBOARD

from . import series_names, slo_texts
from .alert_texts import OF_SLO, SERVICE_TEXT, SHOWN, alert_annotations, alert_labels
from .burn_conditions import burn_condition, enough_events
from .corrections.corrected_series import bad_name, unless_corrected
from .declared_alerts import declared_groups
from .intervals import ALERT_INTERVAL, INCREASE_WINDOW, RECOUNT_SPAN
from .promql_builder import (
    all_of,
    equals,
    indented,
    labelled,
    lines,
    number,
    selector,
    series_of,
    slo_series,
    sum_by,
)
from .recording_rules import alert_records, has_data
from .rule import AlertRule, Group, Rule
from .sli_promql import histograms_of

_SETTLE: Final = Duration("5m")
_WEEK: Final = Duration("7d")
_A_WEEK_AGO: Final = f" offset {_WEEK}"
BURN_ALERTS: Final[Mapping[Severity, tuple[str, str]]] = {
    "page": ("SloErrorBudgetBurnFast", "burns its error budget fast"),
    "ticket": ("SloErrorBudgetBurnSlow", "burns its error budget faster than the period allows"),
}
"""The name of the alert of each severity, and its summary."""


def alerting_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group for each SLO and a group for the declared alerts."""
    for slo in repo.slos.values():
        rules: tuple[Rule, ...] = (
            *alert_records(repo, slo, options),
            *slo_alerts(repo, slo, options),
        )
        yield Group(f"{slo.name}-alerts", rules, ALERT_INTERVAL)
    yield from declared_groups(repo, options)


def slo_alerts(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    """Yield the alerts of an SLO: budget burning, budget exhausted, no events, no data."""
    yield from _burning(repo, slo, options)
    yield from _exhausted(repo, slo, options)
    if slo.sli.unit == "events":  # time passes as long as a gauge is reported
        yield _no_events(repo, slo, options)
    yield _no_data(repo, slo, options)


def _burning(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    for severity, grouped in groupby(slo.burn_windows, key=attrgetter("severity")):
        windows = tuple(grouped)
        alert, consequence = BURN_ALERTS[severity]
        yield _slo_alert(
            repo,
            slo,
            options,
            alert=alert,
            severity=severity,
            expr="\nor\n".join(burn_condition(slo, window, options) for window in windows),
            summary=f"{SERVICE_TEXT} {consequence}: {slo.name}",
            description=slo_texts.burning(repo, slo, severity, options),
            since=max(window.long for window in windows),
        )


def _exhausted(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[AlertRule]:
    """Yield a page while the exhausted budget still burns, and a ticket otherwise."""
    budget = number(slo.objective.budget)
    spent = f"{slo_series(series_names.PERIOD_ERROR_RATIO, slo)} / {budget} >= 1"
    known = enough_events(series_names.PERIOD_BAD, slo)
    still_burns = all_of(
        f"{slo_series(series_names.BURN_RATE_1H, slo)} > 1",
        enough_events(bad_name(slo, BURN_RATE_SPAN, options), slo),
        f"{slo_series(series_names.COVERAGE, slo)} >= {number(LEAST_COVERAGE)}",
    )
    if waits := unless_corrected(slo, BURN_RATE_SPAN, options):
        still_burns = lines("(", indented(still_burns + waits), ")")
    joined: tuple[tuple[Severity, str], ...] = (("page", "and"), ("ticket", "unless"))
    for severity, operator in joined:
        yield _slo_alert(
            repo,
            slo,
            options,
            alert="SloErrorBudgetExhausted",
            severity=severity,
            expr=lines(spent, "and", known, operator, still_burns),
            summary=f"{SERVICE_TEXT} does not meet its SLO {slo.name}: the error budget is "
            "exhausted",
            description=slo_texts.exhausted(slo, options),
            for_=_SETTLE,
        )


def _no_data(repo: type[MetaRepo], slo: Slo, options: Options) -> AlertRule:
    """Return an alert for a service whose SLO is not known."""
    by = options.identity.service
    known = f"max_over_time({slo_series(series_names.TOTAL_CUMULATIVE, slo)}[{_WEEK}:1h])"
    causes = "the service is down, its telemetry is down, or the service was removed"
    counts = [series_of(part.selector, repo.name, "_count") for part in histograms_of(slo.sli)]
    if counts:
        # Links of the alert read the label of the SLO, which raw series have not.
        named = (labelled(sum_by(by, count, "max"), "slo", slo.name) for count in counts)
        joined = f" or on ({', '.join(by)}) ".join((known, *named))
        known = f"({joined})"
        causes += ", or its histogram has no bucket at the bound of the SLO"
    return _slo_alert(
        repo,
        slo,
        options,
        alert="SloNoData",
        severity="ticket",
        expr=lines(known, f"unless on ({', '.join(by)})", has_data(slo)),
        summary=f"{SERVICE_TEXT} has reported no data for {slo.no_data_after}: {slo.name}",
        description=f"The events of this SLO are not known: {causes}. Nobody knows if the SLO is "
        "met.",
        for_=_SETTLE,
    )


def _no_events(repo: type[MetaRepo], slo: Slo, options: Options) -> AlertRule:
    """Return an alert for a service that usually has events at this time, and has none."""
    idle = slo.no_data_after
    reporting = selector(series_names.UP, [equals(series_names.NAMESPACE, repo.name)])
    by = options.identity.service
    return _slo_alert(
        repo,
        slo,
        options,
        alert="SloNoEvents",
        severity="ticket",
        expr=lines(
            f"{_most_events(slo, idle)} < 0.5",
            "and",
            # A week ago there were events at this time: no night and no weekend.
            f"{_most_events(slo, idle, _A_WEEK_AGO)} >= 0.5",
            f"and on ({', '.join(by)})",
            sum_by(by, reporting, "max"),
        ),
        summary=f"{SERVICE_TEXT} has had no events for {idle}: {slo.name}",
        description="The service reports, but the SLO's events have stopped; a week ago there "
        "were events at this time. Check that callers still reach the service.",
        for_=_SETTLE,
    )


def _most_events(slo: Slo, span: Duration, offset: str = "") -> str:
    """Return a number of events that is 0 only if there were none in a span.

    A recorded count of no events is exactly 0, unlike a difference of cumulative counts.
    """
    recount = slo_series(series_names.total(RECOUNT_SPAN), slo)
    if span == RECOUNT_SPAN:
        return f"{recount}{offset}"
    if span > RECOUNT_SPAN:
        longer = Duration(f"{span.seconds - RECOUNT_SPAN.seconds}s")
        return f"max_over_time({recount}[{longer}:{INCREASE_WINDOW}]{offset})"
    shortest = slo_series(series_names.TOTAL, slo)
    return f"max_over_time({shortest}[{span}]{offset})"


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
    for_: Duration | None = None,
    since: Duration = SHOWN,
) -> AlertRule:
    return AlertRule(
        alert=alert,
        expr=expr,
        labels=alert_labels(repo, severity, options) | {"slo": slo.name},
        annotations=alert_annotations(
            options,
            summary=summary,
            description=description,
            runbook=repo.name,
            anchor=slo.name,
            dashboard=SLO_DASHBOARD,
            variables=OF_SLO,
            since=since,
        ),
        for_=for_,
    )
