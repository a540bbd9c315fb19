"""The oracle: exact ratios, budgets, pages and incidents."""

from __future__ import annotations

import numpy as np
import pytest
from alert_quality.scenario import AVAILABILITY
from alert_quality.services import HOUR, MINUTE, Events, Process, Service
from alert_quality.truth import Truth, incidents

SECONDS = 12 * HOUR
START = 8 * HOUR


def _service(share_bad: int, of: int, seconds: int, *, refused: bool = False) -> Service:
    """Return a service with `of` events a second, some of them bad for some seconds."""
    bad = np.zeros(SECONDS, dtype=np.int64)
    bad[START : START + seconds] = share_bad
    process = Process(
        labels={},
        start=0,
        stop=SECONDS,
        events=(
            Events(labels={}, counts=of - bad),
            Events(labels={}, counts=np.zeros(0, np.int64) if refused else bad, is_bad=True),
        ),
        phase=0,
    )
    return Service(name="s", processes=(process,), refused=bad if refused else None)


def _truth(*args: int, refused: bool = False) -> Truth:
    return Truth.of(_service(*args, refused=refused), SECONDS)


def test_ratio_is_bad_by_all_events_of_window() -> None:
    """A ratio is the bad events by all events of its window."""
    truth = _truth(1, 10, HOUR)

    assert 0.1 == truth.ratio(START + HOUR, HOUR)
    assert 0.05 == truth.ratio(START + HOUR, 2 * HOUR)
    assert 0 == truth.ratio(START, HOUR)


def test_window_before_first_second_has_events_since_then() -> None:
    """A window that is longer than the scenario has the events since its start."""
    assert 1 / 120 == pytest.approx(_truth(1, 10, HOUR).ratio(SECONDS, 30 * 24 * HOUR))


def test_budget_is_what_bad_events_leave() -> None:
    """A budget of one event in a thousand is spent four times by 0.4 % bad events."""
    truth = _truth(1, 25, SECONDS - START)

    assert 1 - 0.04 / 0.001 / 3 == pytest.approx(truth.budget(SECONDS, AVAILABILITY))


def test_refused_requests_are_bad_events() -> None:
    """Requests that no process counted are bad events."""
    assert _truth(1, 10, HOUR).bad[-1] == _truth(1, 10, HOUR, refused=True).bad[-1]


@pytest.mark.parametrize(
    ("bad", "after"),
    [(10, 1 * MINUTE), (1, 9 * MINUTE)],
    ids=["all", "a tenth"],
)
def test_page_begins_when_both_windows_are_above_limit(bad: int, after: int) -> None:
    """The policy pages in the first minute in which both windows of a pair are above the limit."""
    start, _ = _truth(bad, 10, HOUR).pages(AVAILABILITY)[0]

    assert START + after == start


def test_page_ends_with_short_window() -> None:
    """The last page ends when the half hour before has too few bad events."""
    _, stop = _truth(10, 10, HOUR).pages(AVAILABILITY)[-1]

    assert START + HOUR + 30 * MINUTE == stop


def test_two_bad_events_page_nobody() -> None:
    """Two bad events page nobody, however few events there are."""
    counts = np.zeros((2, SECONDS), dtype=np.int64)
    counts[0, :: 20 * MINUTE] = 1
    counts[1, [START, START + MINUTE]] = 1
    events = (
        Events(labels={}, counts=counts[0]),
        Events(labels={}, counts=counts[1], is_bad=True),
    )
    process = Process(labels={}, start=0, stop=SECONDS, events=events, phase=0)
    truth = Truth.of(Service(name="s", processes=(process,)), SECONDS)

    assert 2 == truth.bad[-1]
    assert [] == truth.pages(AVAILABILITY)


def test_pages_with_pause_below_half_hour_are_one_incident() -> None:
    """Pages with a pause of less than half an hour are one incident."""
    pages = [(0, 60), (60 + 29 * MINUTE, 2 * HOUR), (3 * HOUR, 4 * HOUR)]

    assert [(0, 2 * HOUR), (3 * HOUR, 4 * HOUR)] == incidents(pages)
