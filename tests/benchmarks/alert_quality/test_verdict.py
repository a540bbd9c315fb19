"""The judgement of pages, and the tools that are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from alert_quality import peers
from alert_quality.contenders import ALL, PYRRA, SEED, SLOTH, Contender
from alert_quality.scenario import Scenario
from alert_quality.services import HOUR, MINUTE, Fault
from alert_quality.tables import Row
from alert_quality.traffic import service
from alert_quality.verdict import Verdict, judge

START = 2 * HOUR
FAULT = Fault(start=START, stop=START + 30 * MINUTE, share=1)
SCENARIO = Scenario(
    name="outage",
    story="",
    seconds=4 * HOUR,
    services=(service("ill", 4 * HOUR, 10, [FAULT], 1), service("well", 4 * HOUR, 10, [], 2)),
    checks=(4 * HOUR - MINUTE,),
    watched=((START - 20 * MINUTE, 4 * HOUR),),
)


def _paging(expr: str, severity: str = "page") -> Contender:
    """Return a tool with one alert."""

    def files(scenario: Scenario) -> Iterator[tuple[str, dict[str, Any]]]:
        rule = {"alert": "A", "expr": expr, "labels": {"severity": severity}}
        yield "rules", {"groups": [{"name": "rules", "rules": [rule]}]}

    return Contender(
        name="test", title="test", files=files, budget=lambda _: "0 * sum by (service_name) (up)"
    )


def _judged(expr: str, severity: str = "page") -> Verdict:
    return judge(SCENARIO, _paging(expr, severity))


FAILURES = (
    "sum by (service_name) "
    '(rate(http_server_request_duration_seconds_count{error_type!=""}[1m])) > 1'
)


def test_page_in_incident_finds_it() -> None:
    """A page that begins in an incident finds it, and tells how late it was."""
    found = _judged(FAILURES)

    (incident,) = found.incidents
    assert incident.service == "ill"
    assert incident.delay is not None
    assert -2 * MINUTE <= incident.delay <= 2 * MINUTE
    assert (1, ()) == (found.true_pages, found.false_pages)


def test_ticket_finds_nothing() -> None:
    """A ticket wakes nobody, so it finds no incident."""
    found = _judged(FAILURES, "ticket")

    assert [False] == [one.is_found for one in found.incidents]


def test_page_about_healthy_service_is_false() -> None:
    """A page about a service without an incident is false."""
    at = 'sum by (service_name) (up{service_name="well"})'
    found = _judged(at)

    assert {"well"} == {page.labels["service_name"] for page in found.false_pages}
    assert [False] == [one.is_found for one in found.incidents]


def test_outage_is_measured_from_its_start() -> None:
    """A total outage is measured from its start to the first page."""
    (outage,) = _judged(FAILURES).outages

    assert outage.page is not None
    assert 0 < outage.page <= 2 * MINUTE


@pytest.mark.parametrize("contender", [SLOTH, PYRRA, SEED], ids=lambda one: one.name)
def test_other_tool_finds_total_outage(contender: Contender) -> None:
    """The rules that another tool generates find a total outage and leave a healthy service."""
    found = judge(SCENARIO, contender)

    assert [True] == [one.is_found for one in found.incidents]
    assert {} == found.errors
    assert [] == [page.alert for page in found.false_pages]


@pytest.mark.parametrize("contender", ALL, ids=lambda one: one.name)
def test_budget_of_other_tool_is_near_truth(contender: Contender) -> None:
    """Each tool has a budget for each service, which a total outage spends many times."""
    found = judge(replace(SCENARIO, services=SCENARIO.services[:1]), contender)

    (check,) = found.checks
    assert check.said is not None
    assert 1 - check.true == pytest.approx(1 - check.said, rel=0.25)


def test_tickets_and_their_recordings_can_be_left_out() -> None:
    """Without tickets, no rule is left that only tickets read."""
    (_, document), *_ = peers.sloth(SCENARIO)

    rules = [rule for group in peers.pages_only(document)["groups"] for rule in group["rules"]]
    names = {rule.get("record") for rule in rules}

    assert "slo:sli_error:ratio_rate1h" in names
    assert "slo:sli_error:ratio_rate3d" not in names
    assert ["page"] == [rule["labels"]["severity"] for rule in rules if "alert" in rule]


@pytest.mark.parametrize(
    ("values", "is_better_high", "is_behind"),
    [((2, 1), False, True), ((1, 2), False, False), ((1, 2), True, True), ((None, 3), False, True)],
)
def test_row_is_behind_if_another_value_is_better(
    values: tuple[float | None, ...], *, is_better_high: bool, is_behind: bool
) -> None:
    """A row is behind if another tool has the better number."""
    row = Row(title="r", values=values, is_better_high=is_better_high)

    assert is_behind is row.is_behind
