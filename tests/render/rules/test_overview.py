from __future__ import annotations

from otel_meta.render.links import Links
from otel_meta.render.rules import overview as cross


def test_records() -> None:
    """Compliance is the share of a service's promises that are kept, by service."""
    (group,) = cross.recording_groups()

    broken = "min_over_time(slo:compliant:bool[1d]) == bool 0"

    assert [
        "avg by (service_namespace, service_name) (slo:compliant:bool)",
        f"sum by (service_namespace, service_name) ({broken})",
    ] == [rule.expr for rule in group.rules]


def test_alerts() -> None:
    """Alerts across repositories come in two groups: about services, and about alerting itself."""
    groups = {g.name: [r.alert for r in g.rules] for g in cross.alerting_groups(Links())}

    assert {
        "slo-overview-alerts": [
            "SloErrorBudgetBurningFast",
            "SloComplianceLow",
            "SloMultipleViolations",
        ],
        "watchdog": ["Watchdog"],
    } == groups
