from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import BurnWindow, Duration, Objective
from otel_meta.model import BURN_WINDOWS, Budget
from otel_meta.model.burn import problems_of

ROWS = [
    pytest.param(period, window, id=f"{period}-{window.long}")
    for period, windows in BURN_WINDOWS.items()
    for window in windows
]

durations = st.integers(1, 10_000).map("{}m".format).map(Duration)
windows = st.builds(
    BurnWindow,
    severity=st.sampled_from(["page", "ticket"]),
    budget_spent=st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000),
    long=durations,
    short=durations,
)
objectives = st.integers(1, 99_999).map(lambda parts: Objective(f"{parts / 1000:.3f}%"))


def window(spent: str, long: str, short: str) -> BurnWindow:
    """A window that pages."""
    return BurnWindow("page", Fraction(spent), Duration(long), Duration(short))


class TestBurnRate:
    @given(window=windows, period=durations, objective=objectives)
    def test_budget_spent(self, window: BurnWindow, period: Duration, objective: Objective) -> None:
        """At the burn rate, held for ``long``, budget_spent of the period's budget is gone."""
        events_a_second = Fraction(7)
        bad_share = window.burn_rate(period) * objective.budget
        bad = bad_share * events_a_second * window.long.seconds
        budget = Budget(objective, bad, events_a_second * period.seconds)

        assert window.budget_spent == budget.spent

    @given(period=durations)
    def test_one(self, period: Duration) -> None:
        """A burn rate of 1 spends the budget in exactly one period."""
        whole = BurnWindow("ticket", Fraction(1), period, Duration("1s"))

        assert 1 == whole.burn_rate(period)


class TestTables:
    @pytest.mark.parametrize(
        ("period", "rates"),
        [
            ("7d", ["13.44", "3.5", "1.4", "1"]),
            ("28d", ["13.44", "5.6", "2.8", "1"]),
            ("30d", ["14.4", "6", "3", "1"]),
            ("90d", ["14.4", "6", "3", "1"]),
        ],
    )
    def test_rates(self, period: str, rates: list[str]) -> None:
        """The burn rates are those of the SRE workbook's arithmetic, exactly."""
        of = Duration(period)

        assert [Fraction(rate) for rate in rates] == [w.burn_rate(of) for w in BURN_WINDOWS[of]]

    def test_workbook(self) -> None:
        """The table for 30 days is the workbook's, row by row, with its one-day window."""
        rows = [
            (w.severity, w.budget_spent, str(w.long), str(w.short))
            for w in BURN_WINDOWS[Duration("30d")]
        ]

        assert [
            ("page", Fraction(2, 100), "1h", "5m"),
            ("page", Fraction(5, 100), "6h", "30m"),
            ("ticket", Fraction(10, 100), "1d", "2h"),
            ("ticket", Fraction(10, 100), "3d", "6h"),
        ] == rows

    @pytest.mark.parametrize(("period", "window"), ROWS)
    def test_short(self, period: Duration, window: BurnWindow) -> None:
        """A short window is a twelfth of the long one, as the workbook advises."""
        assert window.long.seconds == 12 * window.short.seconds

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_reachable(self, period: Duration) -> None:
        """Every table works for the strictest and the laxest objective of the six."""
        table = BURN_WINDOWS[period]
        budgets = [Objective(text).budget for text in ("99.9%", "95%")]

        assert [] == [p for budget in budgets for p in problems_of(table, period, budget)]

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_order(self, period: Duration) -> None:
        """The most urgent window comes first."""
        rates = [w.burn_rate(period) for w in BURN_WINDOWS[period]]

        assert sorted(rates, reverse=True) == rates


class TestProblems:
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            (window("1/100", "1h", "1h"), "does not lie in order within the period of 30d"),
            (window("1", "30d", "1h"), "does not lie in order within the period of 30d"),
            (window("1/100", "1d", "2h"), "fires at a burn rate of 0.3, while the SLO is met"),
            (
                window("1/2", "1h", "5m"),
                "can never fire: it needs 3600% of events to be bad",
            ),
        ],
    )
    def test_said(self, row: BurnWindow, problem: str) -> None:
        """A window that cannot work is named, with the reason."""
        problems = list(problems_of([row], Duration("30d"), Fraction(1, 10)))

        assert [f"the {row.long}/{row.short} page window {problem}"] == problems

    def test_just_out_of_reach(self) -> None:
        """More than every event cannot be bad: a window that asks for all of them is refused."""
        tenfold = window("1/3", "1d", "2h")

        problems = list(problems_of([tenfold], Duration("30d"), Fraction(1, 10)))

        assert 10 == tenfold.burn_rate(Duration("30d"))
        assert 1 == len(problems)

    def test_just_within_reach(self) -> None:
        """One that asks for nearly all of them is not."""
        problems = list(
            problems_of([window("33/100", "1d", "2h")], Duration("30d"), Fraction(1, 10))
        )

        assert [] == problems

    def test_just_fast_enough(self) -> None:
        """A burn rate of exactly 1 may be told of: any faster breaks the promise."""
        problems = list(problems_of([window("1/10", "3d", "6h")], Duration("30d"), Fraction(1, 20)))

        assert [] == problems
