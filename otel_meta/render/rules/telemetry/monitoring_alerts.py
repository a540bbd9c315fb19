"""Alerts about Prometheus and Alertmanager: rules, notifications, scrapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import increase, lines, quoted, selector, sum_by

from .telemetry_alert import RECENT, TelemetryAlert

_FAILURES: Final = "prometheus_rule_evaluation_failures_total"
_MISSED: Final = "prometheus_rule_group_iterations_missed_total"
_DURATION: Final = "prometheus_rule_group_last_duration_seconds"
_DROPPED: Final = "prometheus_notifications_dropped_total"
_QUEUE: Final = (
    "prometheus_notifications_queue_length",
    "prometheus_notifications_queue_capacity",
)
_SERVERS: Final = "prometheus_notifications_alertmanagers_discovered"
_FAILED: Final = "alertmanager_notifications_failed_total"
_HALF: Final = 0.5
_SHORT: Final = Duration("5m")
_PROMETHEUS: Final = "Prometheus {{ $labels.instance }}"
_OURS: Final = (
    series_names.UP,
    "otelcol_process_uptime",
    "prometheus_build_info",
    "alertmanager_build_info",
)
"""Each target of this project exposes one of these series."""


def monitoring_alerts(groups: Iterable[str], options: Options) -> Iterator[TelemetryAlert]:
    """Yield the alerts about the servers that evaluate and notify.

    Args:
        groups: the names of all groups of rules, without the groups of measures.
        options: the places are labels of the alerts.
    """
    target = ("job", "instance", *options.identity.places)
    yield _rules_fail(tuple(groups), target, options)
    yield _rules_late(target, options)
    yield _notifications_dropped(target, options)
    yield _notifications_fail(target, options)
    yield _target_down()


def _rules_fail(
    groups: tuple[str, ...], target: tuple[str, ...], options: Options
) -> TelemetryAlert:
    ending = f".*;({'|'.join(groups)})"
    ours = selector(_FAILURES, [f"rule_group=~{quoted(ending)}"])
    failing = sum_by((*target, "rule_group"), increase(ours, _SHORT, options))
    return TelemetryAlert(
        name="RuleEvaluationFails",
        severity="page",
        expr=f"{failing} > 0",
        reads=(_FAILURES,),
        for_=Duration("5m"),
        summary=f"{_PROMETHEUS} cannot evaluate {{{{ $labels.rule_group }}}}: its alerts cannot "
        "fire",
        description=f'In {_SHORT}, {{{{ printf "%.0f" $value }}}} evaluations failed. An alert '
        "that reads what the group records cannot fire.",
        meaning="A group of rules of SLOs or alerts fails. What it watches is not watched, so the "
        "alert is a page. A group of measures, which only dashboards read, is left out.",
        queries=(
            (
                "Find the groups, of measures as well:",
                f"rate({_FAILURES}[5m]) > 0",
            ),
        ),
        actions="Prometheus shows the error of each rule under *Status, Rule health*. Usual causes "
        "are duplicate series after a change of labels, and a query over `--query.max-samples`.",
    )


def _rules_late(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    missed = sum_by((*target, "rule_group"), increase(_MISSED, RECENT, options))
    return TelemetryAlert(
        name="RuleEvaluationsMissed",
        severity="ticket",
        expr=f"{missed} > 0",
        reads=(_MISSED, _DURATION),
        for_=RECENT,  # a single evaluation that is late opens no ticket,
        summary=f"{_PROMETHEUS} is too slow for {{{{ $labels.rule_group }}}}",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} evaluations were left out: one '
        "takes longer than its interval. Alerts of the group are late.",
        meaning="An evaluation takes longer than the interval of its group. The next one begins "
        "late. Alerts come later, and the counters are asked again, so the alert is a ticket.",
        queries=(("Find the slow groups, in seconds:", f"topk(10, {_DURATION})"),),
        actions="Give Prometheus more processors, or move meta-repositories to a second "
        "Prometheus; docs/scale.md has the steps.",
    )


def _notifications_dropped(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    dropped = sum_by((*target, "alertmanager"), increase(_DROPPED, RECENT, options))
    # The length is of each Alertmanager, the capacity of all.
    level = " / on (job, instance) group_left () ".join(_QUEUE)
    queued = sum_by((*target, "alertmanager"), level, "max")
    undiscovered = sum_by(target, _SERVERS, "max")
    return TelemetryAlert(
        name="NotificationsDropped",
        severity="ticket",
        expr=lines(f"{dropped} > 0", "or", f"{queued} > {_HALF}", "or", f"{undiscovered} < 1"),
        reads=(_DROPPED, *_QUEUE, _SERVERS),
        for_=Duration("5m"),
        summary=f"{_PROMETHEUS} cannot notify an Alertmanager",
        description="Notifications of alerts are dropped, or wait, or no Alertmanager is known. "
        "Pages do not arrive by this way.",
        meaning="Prometheus cannot hand alerts to an Alertmanager. With several Alertmanagers the "
        "others still notify. With one, this alert cannot be sent either: the receiver of the "
        "*Watchdog* raises the alarm, so the alert is a ticket.",
        queries=(
            (
                "Find the errors of each Alertmanager:",
                "rate(prometheus_notifications_errors_total[5m])",
            ),
            ("Find how many Alertmanagers are known:", _SERVERS),
        ),
        actions="Check the address under `alerting` in prometheus.yml, and the process of "
        "Alertmanager.",
    )


def _notifications_fail(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    failed = sum_by((*target, "integration"), increase(_FAILED, RECENT, options))
    return TelemetryAlert(
        name="NotificationsFail",
        severity="ticket",
        expr=f"{failed} > 0",
        reads=(_FAILED,),
        for_=Duration("5m"),
        summary="Alertmanager {{ $labels.instance }} cannot notify by {{ $labels.integration }}",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} notifications failed: a page may '
        "not have arrived.",
        meaning="A receiver refuses notifications or does not answer. If the receiver of pages "
        "fails, a page about the failure fails with it, and a ticket still arrives, so the alert "
        "is a ticket.",
        queries=(
            ("Find the reason:", f"sum by (integration, reason) (increase({_FAILED}[1h])) > 0"),
        ),
        actions="Read the log of Alertmanager: it has the answer of the receiver. Check its URL "
        "and its credentials.",
    )


def _target_down() -> TelemetryAlert:
    ours = "\n  or\n  ".join(f"present_over_time({name}[6h:5m])" for name in _OURS)
    return TelemetryAlert(
        name="ScrapeFails",
        severity="ticket",
        expr=lines("up == 0", "and on (job, instance) (", f"  {ours}", ")"),
        reads=("up", *_OURS[1:]),
        for_=Duration("10m"),
        summary="Prometheus cannot scrape {{ $labels.instance }} ({{ $labels.job }})",
        description="The target is configured, was scraped within 6h, and does not answer.",
        meaning="A target of this project does not answer scrapes: a service, a Collector, "
        "Prometheus or Alertmanager. If the last process of a service is gone, *ServiceDown* "
        "pages; a single target is a ticket.",
        queries=(
            ("Find all targets that do not answer:", "up == 0"),
            ("Find the slow scrapes, in seconds:", "topk(10, scrape_duration_seconds)"),
        ),
        actions="Prometheus shows the error of each target under *Status, Target health*.",
    )
