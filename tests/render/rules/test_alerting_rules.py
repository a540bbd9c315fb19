from __future__ import annotations

from otel_meta.render.links import Links
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.rule import AlertRule, Record
from tests.render.acme import Acme

PAGE = """\
(
  slo:error_ratio:1h{slo="acme-answered"} > 0.0144
  and
  slo:error_ratio:5m{slo="acme-answered"} > 0.0144
  and
  slo:bad:increase1h{slo="acme-answered"} > 2.5
)
or
(
  slo:error_ratio:6h{slo="acme-answered"} > 0.006
  and
  (
    slo:error_ratio:30m{slo="acme-answered"} > 0.006
    or
    slo:error_ratio:late{slo="acme-answered"} > 0.006
  )
  and
  slo:bad:increase6h{slo="acme-answered"} > 2.5
)"""

BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"
LINKS = Links(runbooks="https://books", dashboards="https://boards")


def rules() -> list[AlertRule]:
    """Return every alert of the repository."""
    groups = alerting_groups(Acme, Options(links=LINKS))
    return [rule for group in groups for rule in group.rules if isinstance(rule, AlertRule)]


def test_page_joins_its_window_pairs() -> None:
    """The page joins its window pairs with or."""
    page = rules()[0]

    assert ("SloErrorBudgetBurnFast", PAGE, None) == (page.alert, page.expr, page.for_)


def test_alert_has_labels_of_its_repository_slo_team_and_severity() -> None:
    """An alert has the labels of its repository, SLO, team and severity."""
    assert {
        "meta_repository": "acme",
        "severity": "page",
        "slo": "acme-answered",
        "team": "anvils",
    } == rules()[0].labels


def test_each_slo_has_alert_for_each_severity_and_state() -> None:
    """Each SLO has an alert for each severity and state."""
    of_slo = [rule.alert for rule in rules() if rule.labels.get("slo") == "acme-quick"]

    assert [
        "SloErrorBudgetBurnFast",
        "SloErrorBudgetBurnSlow",
        "SloErrorBudgetExhausted",
        "SloErrorBudgetExhausted",
        "SloNoEvents",
        "SloNoData",
    ] == of_slo


def test_exhausted_budget_pages_while_it_burns_and_is_ticket_otherwise() -> None:
    """An exhausted budget pages while it burns, and is a ticket otherwise: never both."""
    page, ticket = (rule for rule in rules()[:6] if rule.alert == "SloErrorBudgetExhausted")
    spent, condition = page.expr.split("\nand\n(")

    assert f"{spent}\nunless\n({condition}" == ticket.expr
    assert {"page", "ticket"} == {page.labels["severity"], ticket.labels["severity"]}
    assert 'slo:period_coverage:ratio{slo="acme-answered"} >= 0.25' in condition


def test_alerts_are_evaluated_right_after_counts_that_they_read() -> None:
    """The alerts of an SLO are evaluated each 30 s, right after the counts that they read."""
    group = next(alerting_groups(Acme, Options()))
    kinds = [type(rule) for rule in group.rules]

    assert "30s" == str(group.interval)
    assert sorted(kinds, key=[Record, AlertRule].index) == kinds


def test_declared_alert_compares_its_measure_with_its_bound() -> None:
    """A declared alert compares its measure with its bound."""
    rule = rules()[-1]

    assert f'min by ({BY}) (acme_level{{service_namespace="acme"}}) < 0.1' == rule.expr
    assert "5m" == str(rule.for_)
    assert "{{ $labels.service_name }}: A tank is empty" == rule.annotations["summary"]


def test_each_alert_links_to_runbook_and_dashboard() -> None:
    """Each alert links to a runbook and a dashboard."""
    for rule in rules():
        assert {"summary", "description", "runbook_url", "dashboard_url"} == {*rule.annotations}
        assert rule.annotations["runbook_url"].startswith("https://books/")
        assert rule.annotations["dashboard_url"].startswith("https://boards/")
