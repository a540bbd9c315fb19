from __future__ import annotations

from typing import Any

import pytest

from otel_meta.status.page import words
from tests.status.status_rows import row


def plain(text: str | None) -> str | None:
    """Return a text with the signs of the keyboard."""
    return text and text.replace(words.MINUS, "-").replace(words.TIMES, "x")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (6.04, "6 s"),
        (89, "89 s"),
        (90, "1.5 min"),
        (5160, "86 min"),
        (5400, "1.5 h"),
        (43_200, "12 h"),
        (129_600, "1.5 d"),
        (2_592_000, "30 d"),
    ],
)
def test_duration_has_its_largest_sensible_unit(seconds: float, text: str) -> None:
    """A duration has its largest sensible unit, rounded down."""
    assert text == words.duration(seconds)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.99999, "99.9 %"),
        (0.629, "62 %"),
        (0.0421, "4.2 %"),
        (0.0, "0 %"),
        (-0.0001, "-0.1 %"),
        (-0.34, "-34 %"),
        (-50.0, "-5,000 %"),
    ],
)
def test_share_of_budget_is_rounded_down(share: float, text: str) -> None:
    """A share of a budget is rounded down: neither a spent nor an overspent budget is hidden."""
    assert text == plain(words.percent(share))


@pytest.mark.parametrize(
    ("objective", "sli", "text"),
    [
        ("99.9%", 0.99913, "99.913 %"),
        ("99.9%", 0.9989999, "99.899 %"),
        ("99%", 0.98999999, "98.99 %"),
        ("99%", 1.0, "100.00 %"),
        ("99.95%", 0.9995, "99.9500 %"),
        ("99%", None, "unknown"),
    ],
)
def test_missed_objective_does_not_read_as_met(
    objective: str, sli: float | None, text: str
) -> None:
    """The share of good events has enough decimals, so that a missed SLO does not read as met."""
    assert text == words.good_share(row("a", objective=objective, sli=sli))


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "no events"), (0.0, "0x"), (1.04, "1x"), (14.4, "14.4x"), (1234.5, "1,234x")],
)
def test_burn_rate_is_multiple(rate: float | None, text: str) -> None:
    """A burn rate is a multiple, with one decimal below 100."""
    assert text == plain(words.times(rate))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "13 of 15,000 requests bad; the budget allows 15"),
        ({"bad": 0.5, "total": 20.0}, "0.5 of 20 requests bad; the budget allows 0"),
        (
            {"unit": "seconds", "noun": "seconds", "bad": 180.0, "total": 2_592_000.0},
            "3 min of 30 d bad; the budget allows 43 min",
        ),
        ({"bad": 0.0, "total": 0.0}, "0 of 0 requests bad; the budget allows 0"),
    ],
)
def test_bad_events_are_counted_against_allowed_events(values: Any, text: str) -> None:
    """Bad events are counted against all events, and against the events of the budget."""
    assert text == words.bad_events(row("a", **values))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"excluded_total": 0.0}, None),
        (
            {"excluded_total": 120.0, "excluded_bad": 3.0},
            "120 requests by corrections, 3 of them bad",
        ),
        (
            {"unit": "seconds", "excluded_total": 7200.0, "excluded_bad": 60.0},
            "2 h by corrections, 60 s of them bad",
        ),
    ],
)
def test_excluded_events_are_never_silent(values: Any, text: str | None) -> None:
    """Excluded events are shown with the bad events among them."""
    assert text == words.excluded_events(row("a", **values))


@pytest.mark.parametrize(
    ("left", "seconds", "budget", "end"),
    [
        (0.62, None, "62 % of the budget left", "lasts the period"),
        (0.38, 5160.0, "38 % of the budget left", "gone in 86 min"),
        (0.0, None, "0 % of the budget left", "gone"),
        (-0.34, None, "overspent by 34 %", "gone"),
        (-0.0001, None, "overspent by 0.1 %", "gone"),
        (None, None, "budget unknown", ""),
    ],
)
def test_budget_and_its_end_are_words(
    left: float | None, seconds: float | None, budget: str, end: str
) -> None:
    """The budget left and its end are words of a person."""
    status = row("a", budget_left=left, exhausted_in_seconds=seconds)

    assert (budget, end) == (words.budget_left(status), words.end_of_budget(status))
