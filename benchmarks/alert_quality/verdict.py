"""The judgement of a tool's pages and budgets by the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alert_quality import peers
from alert_quality.contenders import OTEL_META, Contender
from alert_quality.engine import Firing, Outcome, Query, RuleSet, run
from alert_quality.scenario import Scenario, Span
from alert_quality.services import MINUTE, Service
from alert_quality.truth import Truth, incidents

BEFORE: Final = 2 * MINUTE
"""A page may come this long before the policy, which looks once a minute."""
AFTER: Final = 15 * MINUTE
"""A page may come this long after the policy has ceased to page."""
_FIRST_LOOK: Final = 12 * MINUTE
"""Alerts that begin so soon in a later watched span may have begun before it."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A span in which the exact policy pages, and what a tool did about it; seconds."""

    scenario: str
    service: str
    start: int
    stop: int
    pages: tuple[Firing, ...]
    budget_spent: float | None
    """The share of the period's budget that was spent before the first page."""

    @property
    def is_found(self) -> bool:
        """True if somebody was paged."""
        return bool(self.pages)

    @property
    def delay(self) -> int | None:
        """Seconds from the exact policy to the first page."""
        return self.pages[0].start - self.start if self.pages else None

    @property
    def late_end(self) -> int | None:
        """Seconds from the end of the exact policy to the end of the last page."""
        ends = [page.stop for page in self.pages if page.stop is not None]
        return max(ends) - self.stop if ends and len(ends) == len(self.pages) else None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A budget at a moment: the truth, and what a tool says; shares of the budget."""

    service: str
    at: int
    true: float
    said: float | None
    can_be_counted: bool

    @property
    def error(self) -> float | None:
        """Points by which the tool is too rosy."""
        return None if self.said is None else 100 * (self.said - self.true)


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A fault in which every event is bad, and the first page; seconds from its start."""

    service: str
    page: int | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known about a tool after a scenario."""

    scenario: str
    contender: str
    incidents: tuple[Incident, ...]
    false_pages: tuple[Firing, ...]
    true_pages: int
    checks: tuple[Check, ...]
    outages: tuple[Outage, ...] = ()
    errors: dict[str, int] = field(default_factory=dict[str, int])


def judge(scenario: Scenario, contender: Contender, cache: Path | None = None) -> Verdict:
    """Run a tool's rules over a scenario, and compare them with the truth."""
    outcome = play(scenario, contender, cache)
    parts = [_judge_service(scenario, contender, service, outcome) for service in scenario.services]
    return Verdict(
        scenario=scenario.name,
        contender=contender.name,
        incidents=tuple(one for part in parts for one in part.incidents),
        false_pages=tuple(one for part in parts for one in part.false_pages),
        true_pages=sum(part.true_pages for part in parts),
        checks=tuple(one for part in parts for one in part.checks),
        outages=tuple(one for part in parts for one in part.outages),
        errors=dict(outcome.errors),
    )


def play(scenario: Scenario, contender: Contender, cache: Path | None = None) -> Outcome:
    """Run a tool's rules over a scenario; tickets of others are left out, to save time."""
    files = dict(contender.files(scenario))
    if contender is not OTEL_META:
        files = {name: peers.pages_only(document) for name, document in files.items()}
    rule_set = RuleSet(name=contender.name, files=files, start=scenario.rules_from)
    budget = Query(name="budget", expr=contender.budget(scenario), times=scenario.checks)
    return run(scenario, [rule_set], [budget], cache=cache)


def _judge_service(
    scenario: Scenario, contender: Contender, service: Service, outcome: Outcome
) -> Verdict:
    truth = Truth.of(service, scenario.seconds)
    pages = list(_pages(scenario, contender, service, outcome))
    spans = incidents([p for p in truth.pages(scenario.objective) if _is_watched(scenario, p[0])])
    found = [_incident(scenario, service, truth, span, pages) for span in spans]
    true = [page for page in pages if any(_belongs(page, span) for span in spans)]
    return Verdict(
        scenario=scenario.name,
        contender=contender.name,
        incidents=tuple(found),
        false_pages=tuple(page for page in pages if page not in true),
        true_pages=len(true),
        checks=tuple(_checks(scenario, service, truth, outcome)),
        outages=tuple(_outages(service, pages)),
    )


def _pages(
    scenario: Scenario, contender: Contender, service: Service, outcome: Outcome
) -> Iterator[Firing]:
    """Yield the pages about a service, in the order of their start."""
    for firing in sorted(outcome.firings, key=lambda one: one.start):
        about = {key: firing.labels.get(key, value) for key, value in service.identity.items()}
        is_page = firing.severity in contender.pages and about == service.identity
        if is_page and not _was_hidden(scenario, firing):
            yield firing


def _was_hidden(scenario: Scenario, firing: Firing) -> bool:
    return any(0 <= firing.start - start < _FIRST_LOOK for start, _ in scenario.watched[1:])


def _is_watched(scenario: Scenario, second: int) -> bool:
    spans = scenario.watched or ((0, scenario.seconds),)
    return any(start <= second < stop for start, stop in spans)


def _belongs(page: Firing, span: Span) -> bool:
    return span[0] - BEFORE <= page.start <= span[1] + AFTER


def _incident(
    scenario: Scenario, service: Service, truth: Truth, span: Span, pages: Sequence[Firing]
) -> Incident:
    mine = tuple(page for page in pages if _belongs(page, span))
    return Incident(
        scenario=scenario.name,
        service="-".join(service.identity.values()),
        start=span[0],
        stop=span[1],
        pages=mine,
        budget_spent=_spent(scenario, service, truth, span, mine[0].start) if mine else None,
    )


def _spent(scenario: Scenario, service: Service, truth: Truth, span: Span, page: int) -> float:
    """Return the share of the budget of a period with the scenario's mean traffic."""
    begun = max((f.start for f in service.faults if f.start <= span[0]), default=span[0])
    bad, _ = truth.events(begun, min(page, scenario.seconds))
    _, total = truth.events(0, scenario.seconds)
    expected = total / scenario.seconds * scenario.objective.period
    return bad / (expected * scenario.objective.budget)


def _checks(
    scenario: Scenario, service: Service, truth: Truth, outcome: Outcome
) -> Iterator[Check]:
    for at in scenario.checks:
        true = truth.budget(at, scenario.objective)
        if true == true:  # noqa: PLR0124  # NaN: there was no event
            yield Check(
                service="-".join(service.identity.values()),
                at=at,
                true=true,
                said=outcome.value("budget", at, **service.identity),
                can_be_counted=service.can_be_counted,
            )


def _outages(service: Service, pages: Sequence[Firing]) -> Iterator[Outage]:
    for fault in service.faults:
        if fault.share == 1 and fault.stop - fault.start >= 5 * MINUTE:
            after = [p.start - fault.start for p in pages if fault.start <= p.start <= fault.stop]
            yield Outage(service=service.name, page=min(after, default=None))
