"""Error budgets of uneven traffic, restarts and deployments, against the true counts of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from alert_quality.contenders import OTEL_META, SLOTH, Contender
from alert_quality.scenario import Scenario
from alert_quality.services import HOUR, MINUTE, Process, Service
from alert_quality.traffic import divided, random_events, route_events, service, step
from alert_quality.verdict import Check, judge

from tests.rules.simulated_alerts import CHECK, SECONDS, scenario

BUSY = (3 * HOUR, 4 * HOUR)


def _traffic(name: str, busy: float, quiet: float, *, busy_share: float, share: float) -> Service:
    """Return a service with one busy hour."""
    rate = step(SECONDS, *BUSY, busy, quiet)
    shares = np.asarray(step(SECONDS, *BUSY, busy_share, share), dtype=np.float64)
    return service(name, SECONDS, rate, [], len(name), share=shares)


def _restarts(name: str, *, is_new: bool) -> Service:
    """Return a service that begins anew each hour, with other labels or under the same."""
    return Service(name=name, processes=tuple(_hourly(name, is_new=is_new)))


def _hourly(name: str, *, is_new: bool) -> Iterator[Process]:
    for number, start in enumerate(range(0, SECONDS, HOUR)):
        good, bad = divided(random_events(20, HOUR, number), 5e-3, number + 50)
        instance = f"{name}-{number}" if is_new else name
        yield Process(
            labels={"service_name": name, "job": name, "instance": instance},
            start=start,
            stop=start + HOUR,
            events=route_events("/x", good, bad, origin=start),
            phase=2.3,
        )


SERVICES = scenario(
    _traffic("busy-fails", 400, 1, busy_share=0.03, share=0),
    _traffic("quiet-fails", 400, 1, busy_share=0, share=0.05),
    _traffic("idle-hour", 0, 20, busy_share=0, share=2e-3),
    _restarts("restarted", is_new=False),
    _restarts("deployed", is_new=True),
)
SHORT = replace(SERVICES, watched=((SECONDS - 20 * MINUTE, SECONDS),))
BOUNDS = {"restarted": 0.03, "deployed": 0.03}
"""Events between the last scrape of a process and its end are in no counter."""


def _budgets(described: Scenario, contender: Contender) -> Mapping[str, Check]:
    return {check.service: check for check in judge(described, contender).checks}


@pytest.fixture(scope="module")
def budgets() -> Mapping[str, Check]:
    """The budgets by the committed rules."""
    return _budgets(SHORT, OTEL_META)


@pytest.mark.parametrize("name", [one.name for one in SERVICES.services])
def test_budget_is_weighted_by_events(budgets: Mapping[str, Check], name: str) -> None:
    """Each event weighs the same in the budget, whenever it came and however often it restarts."""
    budget = budgets[name]

    assert budget.said is not None
    assert pytest.approx(1 - budget.true, rel=BOUNDS.get(name, 0.02)) == 1 - budget.said


@pytest.mark.parametrize("name", ["busy-fails", "quiet-fails"])
def test_mean_of_five_minute_ratios_misses_the_truth_negative_control(name: str) -> None:
    """A mean of ratios over five minutes, as in Sloth's rules, misses it (negative control)."""
    only = tuple(one for one in SERVICES.services if one.name == name)
    budget = _budgets(replace(SHORT, services=only), SLOTH)[name]

    assert CHECK == budget.at
    assert budget.said is not None
    assert not 0.5 < (1 - budget.said) / (1 - budget.true) < 2
