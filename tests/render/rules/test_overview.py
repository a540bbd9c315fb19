from __future__ import annotations

from otel_meta.render.options import Options
from otel_meta.render.rules import overview
from otel_meta.render.rules.rule import AlertRule

BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"


def test_compliance_is_share_of_services_slos_that_are_met() -> None:
    """Compliance is the share of a service's SLOs that are met."""
    (group,) = overview.recording_groups(Options())

    broken = "min_over_time(slo:compliant:bool[1d]) == bool 0"

    assert [
        f"avg by ({BY}) (slo:compliant:bool)",
        f"sum by ({BY}) ({broken})",
    ] == [rule.expr for rule in group.rules]


def test_overview_has_group_of_alerts_and_watchdog() -> None:
    """The overview has a group of alerts and the watchdog."""
    groups = {
        group.name: [rule.alert for rule in group.rules if isinstance(rule, AlertRule)]
        for group in overview.alerting_groups(Options())
    }

    assert {
        "slo-overview-alerts": [
            "SloErrorBudgetBurningFast",
            "SloComplianceLow",
            "SloMultipleViolations",
        ],
        "watchdog": ["Watchdog"],
    } == groups
