"""Rules across SLOs: each service and each meta-repository over all its SLOs, and the watchdog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog, Duration, MetaRepo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.options import Options
from otel_meta.status.slo_links import SLO_DASHBOARD

from . import series_names
from .alert_texts import (
    OF_NAMESPACE,
    OF_SERVICE_SLOS,
    OF_SLO,
    SERVICE_TEXT,
    alert_annotations,
    alert_labels,
)
from .corrections.corrected_series import bad_of_repo, unless_repo_corrected
from .intervals import INCREASE_WINDOW
from .promql_builder import equals, lines, number, selector, sum_by
from .rule import AlertRule, Group, Record

HIGH_BURN_RATE: Final = 10
_MIN_BAD_EVENTS: Final = 10
_FEW_BAD_EVENTS: Final = 3
_HALF: Final = 0.5
"""Counts are estimates: ten events may count as 9.9."""
LOWEST_COMPLIANCE: Final = 0.95
MOST_VIOLATIONS: Final = 1
"""SLOs of a service that may be violated before they are several."""
VIOLATED_SHARE: Final = 0.5
"""The share of a service's SLOs that is many, whatever their number."""
_RUNBOOK: Final = "slo-overview"
_DAY: Final = "1d:5m"
"""A subquery reads a fifth of the samples; an SLO is not met for longer than five minutes."""


def recording_groups(options: Options) -> Iterator[Group]:
    """Yield the recordings of each service over all its SLOs."""
    service = options.identity.service
    not_met = f"min_over_time({series_names.COMPLIANT}[{_DAY}]) == bool 0"
    yield Group(
        "slo-overview",
        (
            Record(series_names.COMPLIANCE, sum_by(service, series_names.COMPLIANT, "avg")),
            Record(series_names.VIOLATIONS, sum_by(service, not_met)),
            Record(series_names.VIOLATIONS_SHARE, sum_by(service, not_met, "avg")),
        ),
    )


def alerting_groups(catalog: Catalog, options: Options) -> Iterator[Group]:
    """Yield the alerts about several SLOs of a meta-repository, and an alert that always fires.

    Each meta-repository has rules of its own, so that its alerts have the labels of its owner.
    """
    for repo in catalog:
        if repo.slos:
            yield Group(f"{repo.name}-overview", tuple(_overview(repo, options)))
    yield Group("watchdog", (_watchdog(options),))


def _overview(repo: type[MetaRepo], options: Options) -> Iterator[AlertRule]:
    yield _burning_fast(repo, options)
    if len(repo.slos) > MOST_VIOLATIONS:  # else no service can have several violations
        yield _compliance_low(repo, options)
        yield _multiple_violations(repo, options)


def _burning_fast(repo: type[MetaRepo], options: Options) -> AlertRule:
    rate, recent, objective = (
        _of_repo(repo, name)
        for name in (
            series_names.BURN_RATE_1H,
            series_names.error_ratio(INCREASE_WINDOW),
            series_names.OBJECTIVE,
        )
    )
    bad = bad_of_repo(repo, BURN_RATE_SPAN, options)
    return AlertRule(
        alert="SloErrorBudgetBurningFast",
        expr=lines(
            f"{rate} > {HIGH_BURN_RATE}",
            "and",
            f"{recent} > {HIGH_BURN_RATE} * (1 - {objective})",
            "and",
            f"{bad} > {number(_MIN_BAD_EVENTS - _HALF)}"
            f"{unless_repo_corrected(repo, INCREASE_WINDOW, options)}",
        ),
        labels=alert_labels(repo, "ticket", options),
        annotations=alert_annotations(
            options,
            summary=f"{SERVICE_TEXT} burns the error budget of {{{{ $labels.slo }}}} at a burn "
            f"rate above {HIGH_BURN_RATE}",
            description='The burn rate over the last hour is {{ printf "%.1f" $value }}; at 1 the '
            "budget lasts exactly one period.",
            runbook=_RUNBOOK,
            anchor="SloErrorBudgetBurningFast",
            dashboard=SLO_DASHBOARD,
            variables=OF_SLO,
        ),
        for_=Duration("5m"),
    )


def _compliance_low(repo: type[MetaRepo], options: Options) -> AlertRule:
    """Return the ticket about a whole meta-repository, where a single SLO has one of its own."""
    by = (series_names.NAMESPACE, *options.identity.places)
    compliant = _of_repo(repo, series_names.COMPLIANT)
    share = sum_by(by, compliant, "avg")
    not_met = sum_by(by, f"{compliant} == 0", "count")
    return AlertRule(
        alert="SloComplianceLow",
        expr=lines(f"{share} < {LOWEST_COMPLIANCE}", "and", f"{not_met} > {MOST_VIOLATIONS}"),
        labels=alert_labels(repo, "ticket", options),
        annotations=alert_annotations(
            options,
            summary=f"{repo.name} meets too few of its SLOs",
            description="Its services meet {{ $value | humanizePercentage }} of their SLOs; the "
            f"alert fires below {LOWEST_COMPLIANCE:.0%}, if more than one SLO is not met.",
            runbook=_RUNBOOK,
            anchor="SloComplianceLow",
            dashboard=SLO_DASHBOARD,
            variables=OF_NAMESPACE,
        ),
        for_=Duration("15m"),
    )


def _multiple_violations(repo: type[MetaRepo], options: Options) -> AlertRule:
    """Return the page about a service that fails in several ways, while it does."""
    count, share, rate, recent, objective = (
        _of_repo(repo, name)
        for name in (
            series_names.VIOLATIONS,
            series_names.VIOLATIONS_SHARE,
            series_names.BURN_RATE_1H,
            series_names.error_ratio(INCREASE_WINDOW),
            series_names.OBJECTIVE,
        )
    )
    bad = bad_of_repo(repo, BURN_RATE_SPAN, options)
    # The hour is above 1 for an hour after the repair; the last minutes are not.
    now = f"{rate} > 1 and {recent} > 1 - {objective}"
    burning = sum_by(
        options.identity.service,
        f"{now} and {bad} > {number(_FEW_BAD_EVENTS - _HALF)}"
        f"{unless_repo_corrected(repo, INCREASE_WINDOW, options)}",
        "count",
    )
    return AlertRule(
        alert="SloMultipleViolations",
        expr=lines(
            f"{count} > {MOST_VIOLATIONS}",
            "and",
            f"{share} >= {VIOLATED_SHARE}",
            "and",
            f"{burning} > {MOST_VIOLATIONS}",
        ),
        labels=alert_labels(repo, "page", options),
        annotations=alert_annotations(
            options,
            summary=f"{SERVICE_TEXT} does not meet several SLOs, and burns the budgets of several",
            description='{{ printf "%.0f" $value }} of its SLOs, at least half of them, were not '
            "met at some time in the last 24 hours; at least two budgets burn now.",
            runbook=_RUNBOOK,
            anchor="SloMultipleViolations",
            dashboard=SLO_DASHBOARD,
            variables=OF_SERVICE_SLOS,
        ),
        for_=Duration("5m"),
    )


def _watchdog(options: Options) -> AlertRule:
    return AlertRule(
        alert="Watchdog",
        expr="vector(1)",
        labels=alert_labels(None, "none", options),
        annotations=alert_annotations(
            options,
            summary="Alerting works",
            description="This alert always fires. Route it to a receiver that raises an alarm "
            "when the notifications stop.",
            runbook=_RUNBOOK,
            anchor="Watchdog",
            dashboard=SLO_DASHBOARD,
        ),
    )


def _of_repo(repo: type[MetaRepo], name: str) -> str:
    return selector(name, [equals(series_names.NAMESPACE, repo.name)])
