from __future__ import annotations

from otel_meta.render.links import Links
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.rule import AlertRule
from tests.render.acme import Acme

PAGE = """\
(
  slo:error_ratio:1h{slo="acme-answered"} > 0.0144
  and
  slo:error_ratio:5m{slo="acme-answered"} > 0.0144
  and
  sum_over_time(slo:bad:increase5m{slo="acme-answered"}[1h]) / 5 >= 3
)
or
(
  slo:error_ratio:6h{slo="acme-answered"} > 0.006
  and
  slo:error_ratio:30m{slo="acme-answered"} > 0.006
  and
  sum_over_time(slo:bad:increase5m{slo="acme-answered"}[6h]) / 5 >= 3
)"""

LINKS = Links(runbooks="https://books", dashboards="https://boards")


def rules() -> list[AlertRule]:
    """Every alert."""
    groups = alerting_groups(Acme, LINKS)
    return [rule for group in groups for rule in group.rules if isinstance(rule, AlertRule)]


def test_page() -> None:
    """A page is its window pairs, each with two spans and a least number of bad events."""
    page = rules()[0]

    assert ("SloErrorBudgetBurnFast", PAGE, None) == (page.alert, page.expr, page.for_)


def test_labels() -> None:
    """An alert says how urgent it is, whose it is, and which SLO it is about."""
    assert {
        "meta_repository": "acme",
        "severity": "page",
        "slo": "acme-answered",
        "team": "anvils",
    } == rules()[0].labels


def test_one_a_severity() -> None:
    """Each SLO has one alert a severity, and one for each other state."""
    of_slo = [rule.alert for rule in rules() if rule.labels.get("slo") == "acme-quick"]

    assert [
        "SloErrorBudgetBurnFast",
        "SloErrorBudgetBurnSlow",
        "SloErrorBudgetExhausted",
        "SloNoEvents",
        "SloNoData",
    ] == of_slo


def test_declared() -> None:
    """A declared alert is its measure against its bound, held as long as declared."""
    rule = rules()[-1]

    assert (
        'min by (service_namespace, service_name) (acme_level{service_namespace="acme"}) < 0.1'
        == rule.expr
    )
    assert "5m" == str(rule.for_)
    assert "A tank is empty" == rule.annotations["summary"]


def test_annotations() -> None:
    """Each alert leads to a runbook and a dashboard, where the reader's links begin."""
    for rule in rules():
        assert {"summary", "description", "runbook_url", "dashboard_url"} == {*rule.annotations}
        assert rule.annotations["runbook_url"].startswith("https://books/")
        assert rule.annotations["dashboard_url"].startswith("https://boards/")
