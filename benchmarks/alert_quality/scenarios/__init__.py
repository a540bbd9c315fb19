"""The scenarios, by what is tried in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from alert_quality.scenario import Scenario
from alert_quality.scenarios import collection, courses, faults, processes

_MAKERS: Final = (
    faults.shares,
    faults.short_faults,
    faults.one_pod_of_eight,
    faults.slow_requests,
    faults.leaks,
    faults.rare_events,
    faults.million,
    faults.newborn,
    courses.busy_hour,
    courses.day_and_night,
    courses.office_hours,
    courses.night_outage,
    processes.deploys,
    processes.restarts,
    processes.deploy_in_outage,
    processes.deaths,
    processes.renamed,
    processes.unreachable,
    collection.prometheus_down,
    collection.prometheus_down_long,
    collection.rules_stalled,
    collection.rules_loaded_late,
    collection.slow_scrapes,
    collection.two_scrapers,
    collection.clocks,
    collection.environments,
)
ALL: Final[Mapping[str, Callable[[], Scenario]]] = {make.__name__: make for make in _MAKERS}
"""By the name for the command line."""
