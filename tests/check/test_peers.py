"""Rules as other generators write them, with metrics of the catalogue.

None of them is refused by ``promtool check rules``; one of them never fires.
"""
# ruff: noqa: E501  # a rule stands as its generator writes it

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from otel_meta.check.rule_lint import check
from otel_meta.repos import BUILTIN

Write = Callable[..., Path]

SLOTH = """\
groups:
- name: sloth-slo-sli-recordings-nebula-availability
  rules:
  - record: slo:sli_error:ratio_rate5m
    expr: |
      (sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform",http_response_status_code=~"(5..|429)"}[5m])))
      /
      (sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}[5m])))
    labels: &5m {sloth_id: nebula-availability, sloth_service: nebula, sloth_slo: availability, sloth_window: 5m}
  - record: slo:sli_error:ratio_rate1h
    expr: |
      (sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform",http_response_status_code=~"(5..|429)"}[1h])))
      /
      (sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}[1h])))
    labels: {<<: *5m, sloth_window: 1h}
  - record: slo:sli_error:ratio_rate30d
    expr: |
      sum_over_time(slo:sli_error:ratio_rate5m{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}[30d])
      / ignoring (sloth_window)
      count_over_time(slo:sli_error:ratio_rate5m{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}[30d])
    labels: {<<: *5m, sloth_window: 30d}
- name: sloth-slo-meta-recordings-nebula-availability
  rules:
  - record: slo:error_budget:ratio
    expr: vector(1-0.9990000000000001)
    labels: &id {sloth_id: nebula-availability, sloth_service: nebula, sloth_slo: availability}
  - record: slo:current_burn_rate:ratio
    expr: |
      slo:sli_error:ratio_rate5m{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}
      / on(sloth_id, sloth_slo, sloth_service) group_left
      slo:error_budget:ratio{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}
    labels: *id
  - record: slo:period_burn_rate:ratio
    expr: |
      slo:sli_error:ratio_rate30d{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}
      / on(sloth_id, sloth_slo, sloth_service) group_left
      slo:error_budget:ratio{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}
    labels: *id
  - record: slo:period_error_budget_remaining:ratio
    expr: 1 - slo:period_burn_rate:ratio{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"}
    labels: *id
  - record: sloth_slo_info
    expr: vector(1)
    labels: {<<: *id, sloth_mode: cli-gen-prom, sloth_objective: "99.9", sloth_spec: prometheus/v1, sloth_version: v0.16.0}
- name: sloth-slo-alerts-nebula-availability
  rules:
  - alert: NebulaHighErrorRate
    expr: |
      (
          max(slo:sli_error:ratio_rate5m{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"} > (14.4 * 0.0009999999999999432)) without (sloth_window)
          and
          max(slo:sli_error:ratio_rate1h{sloth_id="nebula-availability", sloth_service="nebula", sloth_slo="availability"} > (14.4 * 0.0009999999999999432)) without (sloth_window)
      )
    labels: {sloth_severity: page}
    annotations: {summary: "{{$labels.sloth_service}} {{$labels.sloth_slo}} burns its budget."}
"""

PYRRA = """\
groups:
- name: nebula-availability-increase
  interval: 2m30s
  rules:
  - record: http_server_request_duration_seconds:increase30d
    expr: sum by (error_type) (increase(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}[30d]))
    labels: {service_namespace: nebula-cloud-platform, slo: nebula-availability}
  - alert: SLOMetricAbsent
    expr: absent(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}) == 1
    for: 3m
- name: nebula-availability
  interval: 30s
  rules:
  - record: http_server_request_duration_seconds:burnrate5m
    expr: sum(rate(http_server_request_duration_seconds_count{error_type=~"5..",service_namespace="nebula-cloud-platform"}[5m])) / sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}[5m]))
    labels: &id {service_namespace: nebula-cloud-platform, slo: nebula-availability}
  - record: http_server_request_duration_seconds:burnrate1h4m
    expr: sum(rate(http_server_request_duration_seconds_count{error_type=~"5..",service_namespace="nebula-cloud-platform"}[1h4m])) / sum(rate(http_server_request_duration_seconds_count{service_namespace="nebula-cloud-platform"}[1h4m]))
    labels: *id
  - alert: ErrorBudgetBurn
    expr: http_server_request_duration_seconds:burnrate5m{service_namespace="nebula-cloud-platform",slo="nebula-availability"} > (14 * (1-0.9990000000000001)) and http_server_request_duration_seconds:burnrate1h4m{service_namespace="nebula-cloud-platform",slo="nebula-availability"} > (14 * (1-0.9990000000000001))
    for: 2m0s
    labels: {short: 5m, long: 1h4m, severity: critical}
- name: nebula-latency-increase
  rules:
  - record: database_query_duration_seconds:increase7d
    expr: sum(increase(database_query_duration_seconds_count{service_namespace="aurora-fullstack-saas"}[1w]))
    labels: &latency {service_namespace: aurora-fullstack-saas, slo: query-latency}
  - record: database_query_duration_seconds:increase7d
    expr: sum(increase(database_query_duration_seconds_bucket{le=~"1(\\\\.0)?",service_namespace="aurora-fullstack-saas"}[1w]))
    labels: {<<: *latency, le: "1"}
- name: nebula-availability-generic
  rules:
  - record: pyrra_availability
    expr: 1 - sum(http_server_request_duration_seconds:increase30d{error_type=~"5..",slo="nebula-availability"} or vector(0)) / sum(http_server_request_duration_seconds:increase30d{slo="nebula-availability"})
    labels: *id
  - record: pyrra_availability
    expr: sum(database_query_duration_seconds:increase7d{le="1",slo="query-latency"} or vector(0)) / sum(database_query_duration_seconds:increase7d{le="",slo="query-latency"})
    labels: *latency
"""

SLOKIT = """\
groups:
- name: nebula-availability
  rules:
  - record: slokit:error_ratio
    expr: 1 - sum(rate(http_server_request_duration_seconds_count{error_type=""}[5m])) / sum(rate(http_server_request_duration_seconds_count[5m]))
    labels: {service: nebula, slo: availability, window: 5m}
  - record: slokit:error_ratio
    expr: 1 - sum(rate(http_server_request_duration_seconds_count{error_type=""}[1h])) / sum(rate(http_server_request_duration_seconds_count[1h]))
    labels: {service: nebula, slo: availability, window: 1h}
  - alert: NebulaBurns
    expr: slokit:error_ratio{slo="availability",window="1h"} > 0.0144 and slokit:error_ratio{slo="availability",window="5m"} > 0.0144
"""

NEVER = (
    'rules.yml:11: nebula-availability: NebulaBurns: the two sides of and never match: window is "1h" '
    'on the left and "5m" on the right; add ignoring (window), or join others'
)


def said(path: Path) -> list[str]:
    """Return the findings of a rule file."""
    return [
        str(finding).removeprefix(f"{path.parent}/") for finding in check(BUILTIN, [path]).findings
    ]


def test_sloths_alerts_are_accepted(rule_file: Write) -> None:
    """Sloth's alerts are accepted."""
    assert [] == said(rule_file(SLOTH))


def test_sloths_alert_without_its_aggregation_is_reported(rule_file: Write) -> None:
    """Sloth's alert without its aggregation is reported."""
    findings = said(rule_file(SLOTH.replace(" without (sloth_window)", " without ()")))

    assert ["sloth_window"] == [said.split("match: ")[1].split()[0] for said in findings]


def test_pyrras_alerts_are_accepted(rule_file: Write) -> None:
    """Pyrra's alerts are accepted."""
    assert [] == said(rule_file(PYRRA))


def test_alert_that_never_fires_is_reported_with_missing_matching_clause(rule_file: Write) -> None:
    """An alert that never fires is reported with the missing matching clause."""
    assert [NEVER] == said(rule_file(SLOKIT))


def test_alert_that_never_fires_is_reported_with_window_in_its_name(rule_file: Write) -> None:
    """An alert that never fires is reported when the window is in the name."""
    text = SLOKIT.replace('slo="availability",window="1h"', "").replace(
        'slo="availability",window="5m"', ""
    )
    text = text.replace("{}", "_short").replace("_short >", "_long >", 1)
    text = text.replace("error_ratio\n", "error_ratio_short\n", 1).replace(
        "error_ratio\n", "error_ratio_long\n"
    )

    assert [NEVER] == said(rule_file(text))


def test_alert_is_accepted_after_suggested_change(rule_file: Write) -> None:
    """The alert is accepted after the suggested change."""
    assert [] == said(rule_file(SLOKIT.replace(" and ", " and ignoring (window) ")))
