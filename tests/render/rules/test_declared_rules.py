from __future__ import annotations

from otel_meta import measures
from otel_meta.model import Alert, Counter, Duration, MetaRepo, NoLabels, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.declared_alerts import declared_alert
from otel_meta.render.rules.rule import AlertRule


class Works(MetaRepo, name="works", owner="anvils"):
    """Anvils with alerts."""

    calls = Counter("works.calls", "Calls.", NoLabels)
    faults = Counter("works.faults", "Calls that failed.", NoLabels)
    answered = Slo(
        "works-answered",
        objective="99%",
        period="7d",
        sli=calls.ratio(bad=faults),
        why="Somebody waits.",
    )
    failing = Alert(
        name="WorksFailing",
        measure=measures.share(faults, calls, "30m"),
        above=0.01,
        for_=Duration("5m"),
        severity="ticket",
        summary="Calls fail.",
        slo=answered,
    )
    alone = Alert(
        name="WorksAlone",
        measure=measures.increase(faults, "15m", by=()),
        above=0,
        severity="ticket",
        summary="Calls fail.",
    )


def rule(alert: Alert) -> AlertRule:
    """Return the rule of an alert."""
    return declared_alert(Works, alert, Options())


def test_summary_names_service_and_description_has_value_and_bound() -> None:
    """The summary names the service; the description has the value, the bound and the time."""
    annotations = rule(Works.failing).annotations
    value = "The value over 30m is {{ $value | humanizePercentage }}"

    assert "{{ $labels.service_name }}: Calls fail" == annotations["summary"]
    assert f"Calls fail. {value}; the alert fires above 1% for 5m." == annotations["description"]


def test_summary_without_service_names_meta_repository() -> None:
    """The summary of an alert that is not of a service names the meta-repository."""
    assert "works: Calls fail" == rule(Works.alone).annotations["summary"]


def test_links_lead_to_section_and_to_service() -> None:
    """The links lead to the section of the runbook, and to the service on the dashboard."""
    annotations = rule(Works.failing).annotations

    assert "docs/runbooks/works.md#worksfailing" == annotations["runbook_url"]
    assert "var-service={{ $labels.service_name | urlquery }}" in annotations["dashboard_url"]
    assert annotations["dashboard_url"].startswith("/d/otel-meta-works?")
    assert "var-service" not in rule(Works.alone).annotations["dashboard_url"]


def test_alert_about_slo_has_label_by_which_its_page_inhibits() -> None:
    """An alert about an SLO has its label, by which the page of the SLO inhibits the alert."""
    assert "works-answered" == rule(Works.failing).labels["slo"]
    assert "slo" not in rule(Works.alone).labels


def test_inherited_alert_has_the_slo_of_the_subclass() -> None:
    """An inherited alert is about the SLO that the subclass has in its place, or about none."""

    class Other(Works, name="other", owner="anvils"):
        """Another objective."""

        answered = Slo(
            "other-answered",
            objective="95%",
            period="7d",
            sli=Works.answered.sli,
            why="Somebody waits.",
        )

    class Less(Works, name="less", owner="anvils"):
        """No objective."""

        answered = None  # type: ignore[assignment]

    labels = [declared_alert(repo, Works.failing, Options()).labels for repo in (Other, Less)]

    assert ["other-answered", None] == [each.get("slo") for each in labels]
