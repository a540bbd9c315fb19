"""Pages and budgets of the committed rules, against an oracle that counts events.

Prometheus' own rule groups run on simulated time. `make alert-quality` runs all scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.rules.simulated_alerts import (
    CHECK,
    START,
    Told,
    fault,
    faulty,
    scenario,
    told,
    verdict,
)

MINUTE = 60

FAULTS = scenario(
    faulty("outage", fault(20, 1.0)),
    faulty("half", fault(30, 0.5)),
    faulty("five-percent", fault(60, 0.05)),
    faulty("slow-burn", fault(200, 0.0135)),
    faulty("short", fault(1, 1.0)),
    faulty("one-pod", fault(40, 0.3), pods=1),
    faulty("gap", fault(12, 0.3), gap=12),
    faulty("healthy"),
    faulty("half-of-limit", fault(100, 0.003)),
)
STALLED = scenario(
    faulty("stalled", fault(26, 0.3, after=2)),
    faulty("stalled-healthy"),
    stalled=((START, START + 30 * MINUTE),),
)
DOWN = scenario(
    faulty("down", fault(26, 0.3, after=2)),
    faulty("down-through", fault(50, 0.05, after=-10)),
    faulty("down-healthy"),
    down=((START, START + 30 * MINUTE),),
)
SLOW = scenario(
    faulty("minute", fault(20, 1.0)),
    faulty("minute-five-percent", fault(60, 0.05)),
    faulty("minute-healthy"),
    scrape_interval=60,
)
SERVICES = {one.name: parts for parts in (FAULTS, STALLED, DOWN, SLOW) for one in parts.services}
FOUND = [name for name in SERVICES if not name.endswith(("healthy", "half-of-limit", "short"))]
SEEN = [name for name in FOUND if name not in ("gap", "stalled", "down", "down-through")]
"""Services whose Prometheus works all the time."""


@pytest.fixture(scope="module")
def services() -> Mapping[str, Told]:
    """What the rules said of each service."""
    return {
        name: one
        for parts in (FAULTS, STALLED, DOWN, SLOW)
        for name, one in told(verdict(parts), parts).items()
    }


@pytest.mark.parametrize("name", FOUND)
def test_every_incident_is_paged(services: Mapping[str, Told], name: str) -> None:
    """Every incident is paged, also if Prometheus could not see it while it lasted."""
    assert len(services[name].exact) == len(services[name].pages)
    assert services[name].pages


@pytest.mark.parametrize("name", SEEN)
def test_page_comes_within_two_minutes_of_exact_policy(
    services: Mapping[str, Told], name: str
) -> None:
    """A page comes within two minutes of the exact policy."""
    (start, _), page = services[name].exact[0], services[name].pages[0]

    assert 2 * MINUTE >= page - start


@pytest.mark.parametrize("name", ["outage", "half", "minute"])
def test_large_outage_is_paged_within_three_minutes_of_its_start(
    services: Mapping[str, Told], name: str
) -> None:
    """An outage of half of the requests or of all of them is paged within three minutes."""
    assert 3 * MINUTE >= services[name].pages[0] - START


@pytest.mark.parametrize("name", SERVICES)
def test_no_page_without_incident(services: Mapping[str, Told], name: str) -> None:
    """No page belongs to no incident."""
    assert [] == services[name].false_pages


@pytest.mark.parametrize("name", SERVICES)
def test_budget_has_every_event_that_counters_have(services: Mapping[str, Told], name: str) -> None:
    """The error budget misses at most two hundredths of what was spent, or two points."""
    budget = services[name].budget
    spent = 100 * (1 - budget.true)

    assert budget.error is not None
    assert max(2.0, 0.02 * spent) >= abs(budget.error), f"at {CHECK} s"
