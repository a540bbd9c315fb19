from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta import BurnWindow, Counter, Duration, NoLabels, Slo
from otel_meta.cli.budget.budget_replay import STEP, Counts, ReplayJson, counts_of, replay

RATIO = Counter("acme.calls", "Calls.", NoLabels).ratio(
    bad=Counter("acme.failures", "Failures.", NoLabels)
)
LONG, SHORT = 60, 5
"""Minutes of the windows."""
MINUTES = 6 * 60
TIMES = range(0, (MINUTES + LONG) * STEP + 1, STEP)
WINDOW = BurnWindow("page", Fraction(1, 3), Duration(f"{LONG}m"), Duration(f"{SHORT}m"))


def slo(objective: str = "90%", min_bad_events: int = 3) -> Slo:
    """Return an SLO of six hours; its alert needs a burn rate above 2."""
    return Slo(
        "acme-calls",
        objective=objective,
        period="6h",
        sli=RATIO,
        why="Callers wait.",
        burn_windows=(WINDOW,),
        min_bad_events=min_bad_events,
    )


def counts(bad: Mapping[int, int], each_minute: int = 10) -> Counts:
    """Return the counts of a service with these bad events by minute, and so many in all."""
    events = [bad.get(minute, 0) for minute in range(1, len(TIMES))]
    cumulative = [*accumulate(events, initial=500)]
    return counts_of(
        dict(zip(TIMES, cumulative, strict=True)),
        {at: 9000 + each_minute * (at // STEP) for at in TIMES},
        TIMES,
    )


def replayed(of: Counts, *slos: Slo) -> ReplayJson:
    """Replay the counts."""
    return replay({"service_name": "shop"}, of, slos)


class TestReplay:
    @settings(max_examples=50)
    @given(
        st.dictionaries(st.integers(1, MINUTES + LONG), st.integers(0, 10), max_size=90),
        st.integers(0, 30),
    )
    def test_alert_fires_in_the_minutes_in_which_events_one_by_one_burn(
        self, bad: dict[int, int], min_bad_events: int
    ) -> None:
        """The minutes of an alert are those in which the events, counted one by one, burn."""

        def share(minute: int, window: int) -> Fraction:
            count = sum(bad.get(each, 0) for each in range(minute - window + 1, minute + 1))
            return Fraction(count, 10 * window)

        burning = [
            min(share(minute, LONG), share(minute, SHORT)) > Fraction(2, 10)
            and share(minute, LONG) * 10 * LONG >= min_bad_events
            for minute in range(LONG + 1, LONG + MINUTES + 1)
        ]
        found = replayed(counts(bad), slo(min_bad_events=min_bad_events))["objectives"][0]

        assert [sum(burning)] == [alert["minutes"] for alert in found["alerts"]]

    def test_budget_is_that_of_the_last_period_alone(self) -> None:
        """Bad events before the period do not count, and the last ones do."""
        found = replayed(counts({LONG: 10, LONG + 1: 10, LONG + MINUTES: 8}), slo())

        assert (18, 10 * MINUTES) == (found["bad"], found["total"])
        assert 0.95 == found["objectives"][0]["budget_left"]

    def test_stricter_objective_has_a_smaller_budget_and_fires_longer(self) -> None:
        """Another objective has its own budget, and its own minutes of alerts."""
        bad = dict.fromkeys(range(LONG + 1, LONG + 31), 4)
        loose, strict = replayed(counts(bad), slo("90%"), slo("95%"))["objectives"]

        assert (Fraction(2, 3), Fraction(1, 3)) == tuple(
            Fraction(str(round(each["budget_left"] or 0, 9))).limit_denominator(100)
            for each in (loose, strict)
        )
        assert (0, 18) == (loose["alerts"][0]["minutes"], strict["alerts"][0]["minutes"])

    def test_separate_times_are_counted(self) -> None:
        """Two separate times of burning are two."""
        bad = dict.fromkeys([*range(100, 125), *range(250, 275)], 10)
        (alert,) = replayed(counts(bad), slo())["objectives"][0]["alerts"]

        assert 2 == alert["times"]

    def test_service_without_events_has_no_budget(self) -> None:
        """Without events there is neither a budget nor an alert."""
        (found,) = replayed(counts({}, each_minute=0), slo())["objectives"]

        assert (None, 0) == (found["budget_left"], found["alerts"][0]["minutes"])


class TestCounts:
    def test_count_that_begins_in_between_was_zero_before(self) -> None:
        """The first value of a count that begins within the time is an increase."""
        found = counts_of({120: 2.0}, {120: 5.0, 180: 6.0}, range(0, 241, 60))

        assert [0, 0, 5, 6, 6] == found.total
        assert [0, 0, 2, 2, 2] == found.bad
        assert [False, False, True, True, False] == found.is_recorded

    def test_count_at_the_begin_is_no_increase(self) -> None:
        """The value at the begin of the time is where the count stood."""
        assert [0, 0, 3] == counts_of({}, {0: 900.0, 120: 903.0}, range(0, 121, 60)).total

    def test_count_that_begins_anew_goes_on(self) -> None:
        """A count that falls has begun anew: its value is an increase."""
        assert [0, 5, 7] == counts_of({}, {0: 10.0, 60: 15.0, 120: 2.0}, range(0, 121, 60)).total
