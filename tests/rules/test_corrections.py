"""Corrections, run by Prometheus' own rule engine: budgets and pages without excluded events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from alert_quality.engine import Outcome, Query, RuleSet, run
from alert_quality.scenario import AVAILABILITY, Scenario, Span
from alert_quality.services import HOUR, MINUTE, Fault, Gap, Service
from alert_quality.traffic import service
from alert_quality.truth import Truth

from otel_meta.model.slo.correction import Correction
from tests.rules.corrected_rules import SLO, TOLD, corrections, rules

START: Final = HOUR
END: Final = 2 * HOUR
"""The times of the correction."""
DURING: Final = START + 30 * MINUTE
LATE: Final = END + 40 * MINUTE
"""When the correction is added that was not known before."""
CHECK: Final = END + 80 * MINUTE
SECONDS: Final = CHECK + 2 * MINUTE
RATE: Final = 10
EDGE: Final = 75
"""Seconds until the events of a moment are counted: an evaluation and a scrape."""
WITHIN: Final = Fault(start=START + 2 * MINUTE, stop=END - 2 * MINUTE, share=1.0)
"""An outage so far inside of the correction that its edges have few bad events."""
WHOLE: Final = Fault(start=START, stop=END, share=1.0)
AFTER: Final = Fault(start=END + 10 * MINUTE, stop=END + 20 * MINUTE, share=1.0)
BEFORE: Final = Fault(start=START - 15 * MINUTE, stop=START - 10 * MINUTE, share=1.0)
MILD: Final = Fault(start=END + 12 * MINUTE, stop=END + 16 * MINUTE, share=0.04)
"""A fault that would page only together with the outage."""
PAUSE: Final = Gap(start=START + 15 * MINUTE, stop=START + 35 * MINUTE)


def serving(name: str, *faults: Fault, gaps: tuple[Gap, ...] = ()) -> Service:
    """Return a service of one process that runs throughout."""
    seed = sum(name.encode())
    return service(name, SECONDS, RATE, faults, seed, pods=1, birth="start", gaps=gaps)


def replaced(name: str, *faults: Fault, at: int) -> Service:
    """Return a service whose process is replaced by another at a second."""
    (old,) = serving(name, *faults).processes
    new = replace(old, start=at, labels={**old.labels, "instance": "new"})
    return Service(name=name, processes=(replace(old, stop=at), new))


def idle(name: str) -> Service:
    """Return a service with few requests: all within the correction fail, and one after it."""
    (one,) = serving(name).processes
    counts = np.zeros((2, SECONDS), dtype=np.int64)
    counts[0, ::50] = 1
    for start, stop in ((WITHIN.start, WITHIN.stop), (AFTER.start, AFTER.start + 50)):
        counts[1, start:stop], counts[0, start:stop] = counts[0, start:stop], 0
    events = [replace(each, counts=row) for each, row in zip(one.events, counts, strict=True)]
    return Service(name=name, processes=(replace(one, events=tuple(events)),))


CORRECTED: Final = (
    serving("maintained", WITHIN),
    serving("until-the-end", WHOLE),
    serving("failed-before", BEFORE, WITHIN),
    serving("failed-after", WITHIN, AFTER),
    serving("failed-mildly", WITHIN, MILD),
    idle("nearly-idle"),
    replaced("restarted", WITHIN, at=START + HOUR // 2),
    serving("unscraped", WITHIN, gaps=(PAUSE,)),
)
UNCORRECTED: Final = serving("uncorrected", WITHIN)
SERVICES: Final = (*CORRECTED, UNCORRECTED)
ROWS: Final = corrections(START, END, *(one.name for one in CORRECTED))
QUERIES: Final = {
    "budget": f'slo:error_budget_remaining:ratio{{slo="{SLO.name}"}}',
    "excluded": f'slo:bad:excluded_period{{slo="{SLO.name}"}}',
    "counted": f'slo:bad:cumulative{{slo="{SLO.name}"}}',
    "burn": f'slo:error_ratio:1h{{slo="{SLO.name}"}}',
    "recent": f'slo:error_ratio:5m{{slo="{SLO.name}"}}',
    "reasons": f'slo_correction_age_seconds{{slo="{SLO.name}"}}',
}


def play(
    *rule_sets: RuleSet, services: Sequence[Service] = SERVICES, down: tuple[Span, ...] = ()
) -> Outcome:
    """Return what rule sets record and page."""
    described = Scenario(
        name="corrections",
        story="Services are maintained for an hour.",
        seconds=SECONDS,
        services=tuple(services),
        checks=(),
        watched=((START - 20 * MINUTE, SECONDS),),
        down=down,
    )
    times = (DURING, LATE - MINUTE, CHECK)
    asked = [Query(name=name, expr=expr, times=times) for name, expr in QUERIES.items()]
    return run(described, rule_sets, asked)


def known(rows: Sequence[Correction] = ROWS) -> RuleSet:
    """Return the rules that know corrections from the beginning."""
    return RuleSet(name="rules", files=rules(rows))


@pytest.fixture(scope="module")
def before() -> Outcome:
    """The outcome of a correction that is known before."""
    return play(known())


@pytest.fixture(scope="module")
def later() -> Outcome:
    """The outcome of a correction that is added an hour after the end."""
    old = RuleSet(name="old", files=rules(()), stop=LATE)
    return play(old, RuleSet(name="rules", files=rules(ROWS), start=LATE))


def named(name: str) -> Service:
    """Return a service by its name."""
    (found,) = (one for one in SERVICES if one.name == name)
    return found


def budget(one: Service, *excluded: Span) -> float:
    """Return the true share of the budget that is left at the check, event by event."""
    truth = Truth.of(one, SECONDS)
    bad, total = truth.events(0, CHECK)
    for span in excluded:
        bad, total = bad - truth.events(*span)[0], total - truth.events(*span)[1]
    return 1 - bad / total / AVAILABILITY.budget


def said(outcome: Outcome, query: str, one: Service, at: int = CHECK) -> float:
    """Return a recorded value of a service."""
    value = outcome.value(query, at, service_name=one.name)
    assert value is not None
    return value


def pages(outcome: Outcome, one: Service) -> list[int]:
    """Return the seconds at which pages about a service begin."""
    return sorted(
        each.start for each in outcome.of(*_ALERTS, severity="page", service_name=one.name)
    )


_ALERTS: Final = (
    "SloErrorBudgetBurnFast",
    "SloErrorBudgetExhausted",
    "SloMultipleViolations",
)


class TestBudget:
    @pytest.mark.parametrize(
        "name",
        ["maintained", "failed-before", "failed-after", "failed-mildly", "restarted", "unscraped"],
    )
    def test_budget_is_that_of_events_outside_of_correction(
        self, before: Outcome, name: str
    ) -> None:
        """The budget is that of the events outside, across restarts and gaps in scrapes."""
        one = named(name)
        spent = 1 - budget(one, (START, END))

        assert pytest.approx(spent, rel=0.02, abs=0.05) == 1 - said(before, "budget", one)

    def test_other_service_spends_its_budget(self, before: Outcome) -> None:
        """A service that the correction does not name spends its budget."""
        spent = 1 - budget(UNCORRECTED)

        assert pytest.approx(spent, rel=0.02) == 1 - said(before, "budget", UNCORRECTED)
        assert 0 == said(before, "excluded", UNCORRECTED)

    def test_events_at_edges_are_excluded_within_an_evaluation(self, before: Outcome) -> None:
        """Of an outage as long as the correction, all but the last evaluation is excluded."""
        one = named("until-the-end")
        bad, _ = Truth.of(one, SECONDS).events(START, END)

        assert pytest.approx(bad, abs=EDGE * RATE) == said(before, "excluded", one)

    def test_cumulative_counts_stay_the_whole_truth(self, before: Outcome) -> None:
        """The cumulative counts have the excluded events as well."""
        one = CORRECTED[0]
        bad, _ = Truth.of(one, SECONDS).events(0, CHECK)

        assert pytest.approx(bad, rel=0.01) == said(before, "counted", one)


class TestDuringCorrection:
    def test_ratio_of_span_has_no_excluded_events(self, before: Outcome) -> None:
        """During an outage in a correction, the ratio over an hour is that of the time before."""
        one = CORRECTED[0]
        bad, total = Truth.of(one, SECONDS).events(DURING - HOUR, START)

        assert pytest.approx(bad / total, abs=1e-4) == said(before, "burn", one, DURING)

    def test_span_without_other_events_has_no_ratio(self, before: Outcome) -> None:
        """Where every event of a span is excluded there is no ratio."""
        assert 1.0 == said(before, "recent", UNCORRECTED, DURING)
        assert before.value("recent", DURING, service_name="maintained") is None

    def test_budget_does_not_move(self, before: Outcome) -> None:
        """During an outage in a correction, no budget is spent."""
        one = CORRECTED[0]
        bad, total = Truth.of(one, SECONDS).events(0, START)
        spent = bad / total / AVAILABILITY.budget

        assert pytest.approx(spent, abs=0.05) == 1 - said(before, "budget", one, DURING)


class TestLateCorrection:
    def test_budget_is_overspent_until_correction_is_added(self, later: Outcome) -> None:
        """Before a correction is added, the outage spends the budget."""
        assert said(later, "budget", CORRECTED[0], LATE - MINUTE) < -10

    @pytest.mark.parametrize("one", SERVICES, ids=lambda one: one.name)
    def test_budget_is_that_of_correction_known_before(
        self, before: Outcome, later: Outcome, one: Service
    ) -> None:
        """From then on, the budget is that of a correction that was known before."""
        spent = 1 - said(before, "budget", one)

        # The groups are evaluated at other seconds of the minute.
        edges = 60 * RATE / (2 * RATE * HOUR) / AVAILABILITY.budget
        near = edges if one.name == "until-the-end" else 0.05
        assert pytest.approx(spent, rel=0.02, abs=near) == 1 - said(later, "budget", one)


class TestPages:
    @pytest.mark.parametrize(
        "name",
        ["maintained", "until-the-end", "failed-mildly", "nearly-idle", "restarted", "unscraped"],
    )
    def test_outage_within_correction_pages_nobody(self, before: Outcome, name: str) -> None:
        """An outage within a correction pages nobody, not even with its last events."""
        assert [] == pages(before, named(name))

    def test_outage_of_other_service_pages(self, before: Outcome) -> None:
        """The same outage of a service that the correction does not name pages at once."""
        first, *_ = pages(before, UNCORRECTED)

        assert WITHIN.start < first < WITHIN.start + 3 * MINUTE

    def test_incident_ten_minutes_after_correction_pages(self, before: Outcome) -> None:
        """An incident that begins ten minutes after a correction pages within two minutes."""
        first, *_ = pages(before, named("failed-after"))

        assert AFTER.start < first < AFTER.start + 2 * MINUTE

    def test_incident_before_correction_pages(self, before: Outcome) -> None:
        """An incident before a correction pages before the correction."""
        first, *_ = pages(before, named("failed-before"))

        assert BEFORE.start < first < BEFORE.stop


class TestReasons:
    def test_reason_is_recorded_while_correction_is_in_period(self, before: Outcome) -> None:
        """The reason is a label of a series, whose value is the seconds since the end."""
        (one,) = (
            each
            for each in before.values("reasons", CHECK)
            if each.labels["service_name"] == "maintained"
        )

        assert "maintenance: Announced maintenance." == "{kind}: {reason}".format(**one.labels)
        assert pytest.approx(CHECK - END, abs=MINUTE) == one.value

    def test_text_of_exhausted_budget_has_excluded_events(self, before: Outcome) -> None:
        """The text of an exhausted budget says how many bad events corrections exclude."""
        one = named("failed-after")
        bad, _ = Truth.of(one, SECONDS).events(START, END)
        told, *_ = before.of(TOLD, service_name=one.name)
        (excluded,) = re.findall(
            r"Corrections exclude (\d+) bad events of this period", told.annotations["description"]
        )

        assert pytest.approx(bad, rel=0.01) == int(excluded)

    def test_text_without_excluded_events_says_nothing_of_them(self, before: Outcome) -> None:
        """The text about a service without excluded events says nothing of corrections."""
        told, *_ = before.of(TOLD, service_name=UNCORRECTED.name)

        assert "Corrections" not in told.annotations["description"]


class TestGapOfPrometheus:
    @pytest.mark.parametrize(
        ("down", "excluded"),
        [
            ((START + 10 * MINUTE, START + 20 * MINUTE), (START, END)),
            ((START - 10 * MINUTE, START + 10 * MINUTE), (START + 10 * MINUTE, END)),
            ((END - 10 * MINUTE, END + 10 * MINUTE), (START, END - 10 * MINUTE)),
            ((START - MINUTE, END + 10 * MINUTE), (END, END)),
        ],
        ids=["inside", "at the beginning", "at the end", "around the correction"],
    )
    def test_events_of_gap_are_excluded_if_all_of_it_is_inside(
        self, down: Span, excluded: Span
    ) -> None:
        """While Prometheus is down, events are excluded only if the whole gap is inside."""
        one = serving("down", WITHIN)
        outcome = play(known(corrections(START, END, one.name)), services=[one], down=(down,))
        bad, _ = Truth.of(one, SECONDS).events(*excluded)

        assert pytest.approx(bad, abs=EDGE * RATE) == said(outcome, "excluded", one)
