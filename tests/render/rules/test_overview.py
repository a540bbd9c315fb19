from __future__ import annotations

from otel_meta.render.links import Links
from otel_meta.render.rules import overview
from otel_meta.render.rules.rule import AlertRule


def test_records() -> None:
    """Compliance is the share of a service's promises that are kept, by service."""
    (group,) = overview.recording_groups()

    broken = "min_over_time(slo:compliant:bool[1d]) == bool 0"

    assert [
        "avg by (service_namespace, service_name) (slo:compliant:bool)",
        f"sum by (service_namespace, service_name) ({broken})",
    ] == [rule.expr for rule in group.rules]


def test_alerts() -> None:
    """Alerts across repositories come in two groups: about services, and about alerting itself."""
    groups = {
        group.name: [rule.alert for rule in group.rules if isinstance(rule, AlertRule)]
        for group in overview.alerting_groups(Links())
    }

    assert {
        "slo-overview-alerts": [
            "SloErrorBudgetBurningFast",
            "SloComplianceLow",
            "SloMultipleViolations",
        ],
        "watchdog": ["Watchdog"],
    } == groups
