from __future__ import annotations

from otel_meta.model import Catalog, Counter, MetaRepo, NoLabels, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules import overview
from otel_meta.render.rules.rule import AlertRule
from tests.render.acme import Acme

BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"


class Small(MetaRepo, name="small", owner="anvils"):
    """A meta-repository with one SLO."""

    calls = Counter("small.calls", "Calls.", NoLabels)
    faults = Counter("small.faults", "Calls that failed.", NoLabels)
    answered = Slo(
        "small-answered",
        objective="99%",
        period="7d",
        sli=calls.ratio(bad=faults),
        why="Somebody waits.",
    )


def alerts(*repos: type[MetaRepo]) -> dict[str, list[AlertRule]]:
    """Return the alerts of some meta-repositories by group."""
    return {
        group.name: [rule for rule in group.rules if isinstance(rule, AlertRule)]
        for group in overview.alerting_groups(Catalog(repos), Options())
    }


def test_compliance_and_violations_are_over_slos_of_service() -> None:
    """Compliance and violations are over the SLOs of a service."""
    (group,) = overview.recording_groups(Options())

    broken = "min_over_time(slo:compliant:bool[1d:5m]) == bool 0"

    assert [
        f"avg by ({BY}) (slo:compliant:bool)",
        f"sum by ({BY}) ({broken})",
        f"avg by ({BY}) ({broken})",
    ] == [rule.expr for rule in group.rules]


def test_each_meta_repository_has_group_and_there_is_one_watchdog() -> None:
    """Each meta-repository has a group of alerts, and there is one watchdog."""
    assert {
        "acme-overview": ["SloErrorBudgetBurningFast", "SloComplianceLow", "SloMultipleViolations"],
        "watchdog": ["Watchdog"],
    } == {name: [rule.alert for rule in rules] for name, rules in alerts(Acme).items()}


def test_alerts_have_labels_of_owner() -> None:
    """The alerts have the labels of the owner, for routes and silences."""
    assert [("acme", "anvils")] * 3 == [
        (rule.labels["meta_repository"], rule.labels["team"])
        for rule in alerts(Acme)["acme-overview"]
    ]


def test_alerts_read_own_meta_repository_only() -> None:
    """Each selector of an alert reads its own meta-repository only."""
    for rule in alerts(Acme)["acme-overview"]:
        assert rule.expr.count("slo") == rule.expr.count('{service_namespace="acme"}')


def test_one_slo_has_no_alert_about_several() -> None:
    """A meta-repository with one SLO has no alert that needs several, which could never fire."""
    assert ["SloErrorBudgetBurningFast"] == [rule.alert for rule in alerts(Small)["small-overview"]]
