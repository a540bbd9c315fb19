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
    """A run of a scanner."""

    scanner: str
    scan_type: Literal["container", "dependency", "source", "secret", "infrastructure", "web"]


@labels
class ScanFailure:
    """A run of a scanner without a result."""

    scanner: str
    reason: Literal["timeout", "access_denied", "unreachable", "scanner_error"]


@labels
class Finding:
    """A finding of a scanner."""

    scanner: str
    severity: FindingSeverity


@labels
class Remediation:
    """A closed finding."""

    severity: FindingSeverity
    resolution: Literal["fixed", "mitigated", "accepted", "false_positive"]


@labels
class PolicyEvaluation:
    """An evaluation of a policy."""

    policy: str
    result: Literal["compliant", "violation"]


class Obsidian(
    MetaRepo,
    name="obsidian-devsecops-platform",
    owner="security",
    escalation="Phone the security duty officer, at any hour, before a finding becomes public.",
):
    """Scans, findings and policies."""

    scans = Counter(
        "security.scans",
        "Finished security scans, including failed ones.",
        Scan,
        unit="{scan}",
    )
    scan_failures = Counter(
        "security.scan.failures",
        "Security scans without a result, by reason.",
        ScanFailure,
        unit="{failure}",
    )
    scan_duration = Histogram(
        "security.scan.duration",
        "Duration of a security scan.",
        Scan,
        unit="s",
        buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600),
    )
    findings_open = Gauge(
        "security.findings.open",
        "Open findings.",
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
        "Time from the discovery of a finding to its closing.",
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
        "Age of the oldest open vulnerability.",
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
        why="Without a scan, vulnerabilities are shipped unnoticed.",
        first_steps=(
            "- Reason `timeout`: use a larger runner. Reason `access_denied`: renew the token "
            "of the scanner.\n"
            "- Reason `unreachable`: ask the owner of the target, or look at the network "
            "policy.\n"
            "- Reason `scanner_error`: return to the version of the scanner before.\n"
            "- Treat a target without a result as unscanned: hold back its releases."
        ),
    )
    remediation_time = Slo(
        "obsidian-critical-remediation",
        objective="95%",  # P95
        period="30d",
        no_data_after="6d",  # longer pauses are normal: critical findings are rare
        sli=remediation_duration.within(86_400).where(severity="critical"),
        why="A critical finding is exploited within days of being published.",
        first_steps=(
            "- `vulnerability_age_days` with severity `critical` shows which findings are "
            "still open. Ask their teams for a date.\n"
            "- A fixed version exists: release it now, before other changes.\n"
            "- No fixed version exists: take the part from the network, and record the "
            "resolution `mitigated`."
        ),
    )
    # "Zero critical findings" as an objective of 100 % would have no error budget. Therefore the
    # alert below fires at the first finding, and this SLO is on time: 95 % of 30 days leaves
    # 36 hours, enough for one finding that is closed within 24 hours.
    zero_critical_findings = Slo(
        "obsidian-zero-critical-findings",
        objective="95%",
        period="30d",
        sli=findings_open.at_most(0).where(severity="critical").worst(),
        why="An open critical finding can be exploited at any time.",
        first_steps=(
            "- Read the report of the scanner: is the vulnerable code reachable?\n"
            "- A fixed version exists: deploy it. Otherwise take the part from the network.\n"
            "- Many findings at once: `security_findings_discovered_total` by scanner shows a "
            "new rule set. Confirm a finding before it is closed as `false_positive`."
        ),
    )
    policy_compliance = Slo(
        "obsidian-policy-compliance",
        objective="99%",
        period="30d",
        no_data_after="26h",
        sli=policy_evaluations.ratio(bad=policy_evaluations.where(result="violation")),
        why="Violations of policies fail audits.",
        first_steps=(
            "- One policy: undo the last change of the policy, or of what it checks.\n"
            "- All policies: the evaluation itself may be at fault. Evaluate one policy by "
            "hand.\n"
            "- A violation that has to stay needs an exception with an end, from the security "
            "team."
        ),
    )

    critical_findings = Recording(
        "scanner:security_findings_open:critical",
        measures.latest(findings_open.where(severity="critical"), by=("scanner",)),
        "Open critical findings, by scanner.",
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
            "Read the report of the scanner: is the vulnerable code reachable, is there a "
            "fixed version, does a policy block the rollout."
        ),
    )
    scans_failing = Alert(
        name="ObsidianSecurityScanFailures",
        measure=measures.increase(scan_failures, "1h", by=("service_name", "scanner", "reason")),
        above=0,
        severity="ticket",
        slo=scan_success,
        summary="Runs of a scanner fail.",
        first_steps=(
            "Read the reason label: after a timeout use a larger runner, after a denied "
            "access a new token; treat the target as unscanned until a scan succeeds."
        ),
    )
    findings_trending_up = Alert(
        name="ObsidianSecurityFindingsTrendingUp",
        measure=measures.relative_change(
            measures.over_time(findings_open, "avg", "7d", aggregation="sum"), "7d"
        ),
        above=0.2,
        for_=Duration("5m"),  # while Prometheus starts, sums lack series
        severity="ticket",
        summary="More than 20 % more findings are open than a week ago.",
        first_steps=(
            "Find the scanner and severity with the growth; a new rule set of a scanner affects "
            "all targets at once, a new dependency only some."
        ),
    )
