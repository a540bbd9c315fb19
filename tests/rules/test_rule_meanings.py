"""What single recordings and alerts mean, on simulated time: mistakes that no outage shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from alert_quality.contenders import OTEL_META
from alert_quality.engine import Outcome, Query, RuleSet, run
from alert_quality.scenario import AVAILABILITY, LATENCY, Objective, Scenario
from alert_quality.scrape import Series
from alert_quality.services import DAY, HOUR, MINUTE, Events, Process, Service

from tests.rules.committed_rules import groups_of, rules_for_alerts, slo_named
from tests.rules.simulated_alerts import START, scenario

ROUTE = {"http_route": "/x"}
FAILED = {**ROUTE, "error_type": "500"}


def _process(name: str, good: Any, bad: Any, **more: Any) -> Process:
    return Process(
        labels={"service_name": name, "job": name, "instance": f"{name}:8000"},
        start=0,
        stop=len(good),
        events=(
            Events(labels=ROUTE, counts=good),
            Events(labels=FAILED, counts=bad, is_bad=True, duration=2.0),
        ),
        phase=3.0,
        **more,
    )


def _run(described: Scenario, *queries: Query) -> Outcome:
    files = dict(OTEL_META.files(described))
    return run(described, [RuleSet(name="rules", files=files)], queries)


class TestBurnRate:
    @pytest.mark.parametrize("objective", [AVAILABILITY, LATENCY], ids=["99.9%", "99%"])
    def test_burn_rate_is_share_of_bad_events_in_budgets_of_slo(self, objective: Objective) -> None:
        """A burn rate is the share of bad events, in budgets of its own SLO."""
        at = 2 * HOUR - MINUTE
        good, bad = np.full(2 * HOUR, 19), np.full(2 * HOUR, 1)
        described = replace(
            scenario(Service(name="five", processes=(_process("five", good, bad),))),
            seconds=2 * HOUR,
            watched=(),
            objective=objective,
            buckets=(0.05, 0.1, float("inf")),
        )
        query = Query(name="rate", expr=f'slo:burn_rate:1h{{slo="{objective.slo}"}}', times=(at,))

        said = _run(described, query).value("rate", at)

        assert pytest.approx(0.05 / objective.budget, rel=0.01) == said


class TestFewEvents:
    @pytest.mark.parametrize(("bad", "fires"), [(2, False), (8, False), (15, True)])
    def test_fast_burn_ticket_needs_ten_bad_events(self, bad: int, *, fires: bool) -> None:
        """The ticket about a fast burn needs ten bad events in the hour."""
        good, failed = (np.zeros(8 * HOUR, dtype=np.int64) for _ in range(2))
        good[:: 2 * MINUTE] = 1
        failed[START + 7 : START + 50 * MINUTE : 50 * MINUTE // bad] = 1
        described = replace(
            scenario(Service(name="small", processes=(_process("small", good, failed),))),
            seconds=8 * HOUR,
        )

        found = _run(described).of("SloErrorBudgetBurningFast", service_name="small")

        assert fires is bool(found)


class TestNoEvents:
    def test_service_is_idle_only_by_its_own_heartbeat(self) -> None:
        """A service without events is idle if it has a heartbeat itself, not if another has one."""
        seconds = 7 * DAY + 16 * HOUR
        stop = seconds - 8 * HOUR
        good, bad = np.zeros((2, seconds), dtype=np.int64)
        good[:stop:20] = 1
        described = Scenario(
            name="idle",
            story="Two services stop to get requests.",
            seconds=seconds,
            services=tuple(
                Service(name=name, processes=(_process(name, good, bad, has_heartbeat=heart),))
                for name, heart in (("idle", True), ("mute", False))
            ),
            checks=(),
            watched=((seconds - HOUR, seconds),),
            scrape_interval=60,
        )

        groups = rules_for_alerts(*slo_named(described.objective.slo), "SloNoEvents")
        rules = RuleSet(name="rules", files={"rules": {"groups": groups}})

        found = run(described, [rules]).of("SloNoEvents")

        assert {"idle"} == {one.labels["service_name"] for one in found}


class TestExhausted:
    @pytest.mark.parametrize(("spent", "fires"), [(0.999, False), (1.0, True), (1.001, True)])
    def test_budget_of_which_nothing_is_left_is_exhausted(
        self, spent: float, *, fires: bool
    ) -> None:
        """A budget of which nothing is left is exhausted, at the exact bound as well."""
        found = _alert_over(
            {
                "slo:error_ratio:period": spent * 0.001,
                "slo:bad:increase_period": 100,
                "slo:burn_rate:1h": 0,
                "slo:bad:increase1h": 0,
                "slo:period_coverage:ratio": 1,
            },
            "SloErrorBudgetExhausted",
        )

        assert (["ticket"] if fires else []) == found

    @pytest.mark.parametrize(
        ("changed", "severity"),
        [
            ({}, "page"),
            ({"slo:burn_rate:1h": 0.9}, "ticket"),
            ({"slo:bad:increase1h": 2.0}, "ticket"),
            ({"slo:period_coverage:ratio": 0.2}, "ticket"),
        ],
    )
    def test_exhausted_budget_pages_only_while_it_burns(
        self, changed: Mapping[str, float], severity: str
    ) -> None:
        """An exhausted budget pages while it burns, with enough failures and enough history."""
        values = {
            "slo:error_ratio:period": 0.002,
            "slo:bad:increase_period": 100,
            "slo:burn_rate:1h": 2,
            "slo:bad:increase1h": 50,
            "slo:period_coverage:ratio": 1,
        }

        assert [severity] == _alert_over({**values, **changed}, "SloErrorBudgetExhausted")


def _alert_over(values: Mapping[str, float], alert: str) -> list[str]:
    """Return the severities at which an alert fires over recorded values that do not change."""
    repo, slo = slo_named(AVAILABILITY.slo)
    rules = [
        rule
        for group in groups_of(repo, "alerting")
        for rule in group["rules"]
        if rule.get("alert") == alert and rule["labels"].get("slo") == slo.name
    ]
    times = np.arange(0, 20 * MINUTE * 1000, 15_000, dtype=np.int64)
    who = {"service_namespace": repo.name, "service_name": "svc", "slo": slo.name}
    described = replace(scenario(), seconds=20 * MINUTE, watched=())
    found = run(
        described,
        [RuleSet(name="rules", files={"alerts": {"groups": [{"name": "alerts", "rules": rules}]}})],
        series=[
            Series({"__name__": name, **who}, times, np.full(len(times), float(value)))
            for name, value in values.items()
        ],
    )
    return [one.severity for one in found.of(alert)]
