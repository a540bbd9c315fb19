"""Short scenarios for the rules of the working tree on simulated time, judged by the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from alert_quality.contenders import OTEL_META
from alert_quality.engine import Outcome
from alert_quality.scenario import Scenario, Span
from alert_quality.services import HOUR, MINUTE, Fault, Gap, Service
from alert_quality.traffic import service
from alert_quality.truth import Truth, incidents
from alert_quality.verdict import Check, Verdict, judge, play

from tests.rules.rule_runs import RUNS

START: Final = 7 * HOUR
"""The second at which every fault begins."""
SECONDS: Final = 11 * HOUR
CHECK: Final = SECONDS - 10 * MINUTE

_RUNS: Final = RUNS / "simulated"


@dataclass(frozen=True)
class Told:
    """What the rules said of a service, beside the truth; seconds of the scenario."""

    exact: list[Span]
    """Incidents by the exact policy."""
    pages: list[int]
    """The first page of each incident; incidents without a page are left out."""
    false_pages: list[str]
    budget: Check


def fault(minutes: int, share: float, *, after: int = 0) -> Fault:
    """Return a fault that begins some minutes after the start."""
    start = START + after * MINUTE
    return Fault(start=start, stop=start + minutes * MINUTE, share=share)


def faulty(name: str, *faults: Fault, rate: float = 20, gap: int = 0, pods: int = 2) -> Service:
    """Return a service with faults; for some minutes from the start it cannot be scraped."""
    gaps = (Gap(start=START, stop=START + gap * MINUTE),) if gap else ()
    return service(name, SECONDS, rate, faults, _seed(name), gaps=gaps, pods=pods)


def scenario(
    *services: Service,
    down: tuple[Span, ...] = (),
    stalled: tuple[Span, ...] = (),
    scrape_interval: int = 15,
) -> Scenario:
    """Return a scenario of eleven hours that is watched from before the faults on."""
    return Scenario(
        name="test",
        story="A test.",
        seconds=SECONDS,
        services=services,
        checks=(CHECK,),
        watched=((START - 20 * MINUTE, SECONDS),),
        down=down,
        stalled=stalled,
        scrape_interval=scrape_interval,
    )


def told(judged: Verdict, scenario: Scenario) -> dict[str, Told]:
    """Return what was said of each service."""
    return {one.name: _told(judged, scenario, one) for one in scenario.services}


def verdict(scenario: Scenario) -> Verdict:
    """Return the verdict on the committed rules."""
    return judge(scenario, OTEL_META, _RUNS)


def outcome(scenario: Scenario) -> Outcome:
    """Return all alerts of the committed rules."""
    return play(scenario, OTEL_META, _RUNS)


def _told(judged: Verdict, scenario: Scenario, one: Service) -> Told:
    mine = [incident for incident in judged.incidents if incident.service == one.name]
    return Told(
        exact=incidents(Truth.of(one, scenario.seconds).pages(scenario.objective)),
        pages=[incident.pages[0].start for incident in mine if incident.pages],
        false_pages=[
            page.alert for page in judged.false_pages if page.labels["service_name"] == one.name
        ],
        budget=next(check for check in judged.checks if check.service == one.name),
    )


@cache
def _seed(name: str) -> int:
    return sum(name.encode())
