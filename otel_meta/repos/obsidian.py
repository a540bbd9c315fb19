"""Obsidian: security scans, findings and policies."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import (
    Alert,
    Counter,
    Duration,
    Gauge,
    Histogram,
    MetaRepo,
    Recording,
    Slo,
    labels,
)

FindingSeverity = Literal["critical", "high", "medium", "low"]


@labels
class Scan:
    """One run of a scanner."""

    scanner: str
    scan_type: Literal["container", "dependency", "source", "secret", "infrastructure", "web"]


@labels
class ScanFailure:
    """A run of a scanner that gave no result."""

    scanner: str
    reason: Literal["timeout", "access_denied", "unreachable", "scanner_error"]


@labels
class Finding:
    """What scanners report."""

    scanner: str
    severity: FindingSeverity


@labels
class Remediation:
    """A finding that has been closed."""

    severity: FindingSeverity
    resolution: Literal["fixed", "mitigated", "accepted", "false_positive"]


@labels
class PolicyEvaluation:
    """A policy put to the test."""

    policy: str
    result: Literal["compliant", "violation"]


class Obsidian(MetaRepo, name="obsidian-devsecops-platform", owner="security"):
    """Scans, findings and policies."""

    scans = Counter("security.scans", "Security scans ended, failed ones too.", Scan, unit="{scan}")
    scan_failures = Counter(
        "security.scan.failures",
        "Security scans that gave no result, by reason.",
        ScanFailure,
        unit="{failure}",
    )
    scan_duration = Histogram(
        "security.scan.duration",
        "Time that a security scan takes.",
        Scan,
        unit="s",
        buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600),
    )
    findings_open = Gauge(
        "security.findings.open",
        "Findings that nobody has closed yet.",
        Finding,
        unit="{finding}",
    )
    findings_discovered = Counter(
        "security.findings.discovered",
        "Findings reported for the first time.",
        Finding,
        unit="{finding}",
    )
    remediation_duration = Histogram(
        "security.finding.remediation.duration",
        "Time from discovering a finding to closing it.",
        Remediation,
        unit="s",
        buckets=(
            3600,  # an hour
            14_400,
            28_800,
            86_400,  # a day
            259_200,
            604_800,  # a week
            1_209_600,
            2_592_000,  # 30 days
            7_776_000,
        ),
    )
    vulnerability_age = Gauge(
        "vulnerability.age",
        "Age of the oldest vulnerability that is still open.",
        Finding,
        unit="d",
    )
    policy_evaluations = Counter(
        "policy.evaluations",
        "Policies evaluated, by result.",
        PolicyEvaluation,
        unit="{evaluation}",
    )

    scan_success = Slo(
        "obsidian-scan-success",
        objective="99%",
        period="7d",
        no_data_after="26h",
        sli=scans.ratio(bad=scan_failures),
        why="What is not scanned ships with whatever is in it.",
    )
    remediation_time = Slo(
        "obsidian-critical-remediation",
        objective="95%",  # P95
        period="30d",
        no_data_after="6d",  # no critical finding was closed: let us hope that there was none
        sli=remediation_duration.within(86_400).where(severity="critical"),
        why="A critical finding is exploited within days of being published.",
    )
    # "Zero critical findings" has no budget as a promise of 100 %. It is an alert at the first
    # finding (below), and a promise about time: 95 % of 30 days leaves 36 hours, which is one
    # finding closed within its 24 hours and half a day to spare.
    zero_critical_findings = Slo(
        "obsidian-zero-critical-findings",
        objective="95%",
        period="30d",
        sli=findings_open.at_most(0).where(severity="critical").worst(),
        why="Every hour with a critical finding is an hour in which it can be used.",
    )
    policy_compliance = Slo(
        "obsidian-policy-compliance",
        objective="99%",
        period="30d",
        no_data_after="26h",
        sli=policy_evaluations.ratio(bad=policy_evaluations.where(result="violation")),
        why="Auditors read violations as the rule and compliance as luck.",
    )

    critical_findings = Recording(
        "scanner:security_findings_open:critical",
        measures.latest(findings_open.where(severity="critical"), by=("scanner",)),
        "Critical findings that are open, by scanner.",
    )
    findings_trend = Recording(
        "severity:security_findings_open:avg_7d",
        measures.over_time(findings_open, "avg", "7d", aggregation="sum", by=("severity",)),
        "Open findings by severity, moving average over 7 days.",
    )
    remediation_p95 = Recording(
        "severity:security_finding_remediation_duration_seconds:p95_30d",
        measures.quantile(remediation_duration, "0.95", "30d", by=("severity",)),
        "P95 of the time to close a finding by severity, in seconds, over 30 days.",
    )

    critical_findings_detected = Alert(
        name="ObsidianCriticalFindings",
        measure=measures.latest(
            findings_open.where(severity="critical"), by=("service_name", "scanner")
        ),
        above=0,
        severity="page",
        summary="A scanner reports critical findings.",
        first_steps=(
            "The finding in the scanner's report: is the vulnerable path reachable, is "
            "there a fixed version, does a policy block the rollout."
        ),
    )
    scans_failing = Alert(
        name="ObsidianSecurityScanFailures",
        measure=measures.increase(scan_failures, "1h", by=("scanner", "reason")),
        above=0,
        severity="ticket",
        summary="Scans of a scanner fail.",
        first_steps=(
            "The reason label: a timeout asks for a larger runner, an authentication "
            "failure for a new token; until then the target counts as unscanned."
        ),
    )
    findings_trending_up = Alert(
        name="ObsidianSecurityFindingsTrendingUp",
        measure=measures.relative_change(
            measures.over_time(findings_open, "avg", "7d", aggregation="sum"), "7d"
        ),
        above=0.2,
        for_=Duration("5m"),  # sums are short of series while Prometheus starts
        severity="ticket",
        summary="Over 20 % more findings are open than a week ago.",
        first_steps=(
            "Which scanner and severity grew; a new rule set of a scanner raises all "
            "targets at once, a new dependency only some."
        ),
    )
