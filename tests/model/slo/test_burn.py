from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import BurnWindow, Duration, Objective
from otel_meta.model import BURN_WINDOWS, Budget
from otel_meta.model.slo.burn import problems_of

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
    """Make a window with the severity page."""
    return BurnWindow("page", Fraction(spent), Duration(long), Duration(short))


class TestBurnRate:
    @given(window=windows, period=durations, objective=objectives)
    def test_burn_rate_held_for_long_spends_exactly_budget_spent(
        self, window: BurnWindow, period: Duration, objective: Objective
    ) -> None:
        """A burn rate held for ``long`` spends exactly ``budget_spent``."""
        events_a_second = Fraction(7)
        bad_share = window.burn_rate(period) * objective.budget
        bad = bad_share * events_a_second * window.long.seconds
        budget = Budget(objective, bad, events_a_second * period.seconds)

        assert window.budget_spent == budget.spent

    @given(period=durations)
    def test_burn_rate_of_1_spends_budget_in_exactly_one_period(self, period: Duration) -> None:
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
    def test_burn_rates_are_exactly_those_of_sre_workbook(
        self, period: str, rates: list[str]
    ) -> None:
        """Burn rates are exactly those of the SRE workbook."""
        of = Duration(period)

        assert [Fraction(rate) for rate in rates] == [w.burn_rate(of) for w in BURN_WINDOWS[of]]

    def test_table_for_30_days_has_rows_of_sre_workbook(self) -> None:
        """The table for 30 days has the rows of the SRE workbook."""
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
    def test_short_window_is_twelfth_of_long_one_as_workbook_advises(
        self, period: Duration, window: BurnWindow
    ) -> None:
        """A short window is a twelfth of the long one, as the workbook advises."""
        assert window.long.seconds == 12 * window.short.seconds

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_every_table_works_for_strictest_and_laxest_objective_of_six(
        self, period: Duration
    ) -> None:
        """Every table works for the strictest and the laxest objective of the six."""
        table = BURN_WINDOWS[period]
        budgets = [Objective(text).budget for text in ("99.9%", "95%")]

        assert [] == [p for budget in budgets for p in problems_of(table, period, budget)]

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_most_urgent_window_comes_first(self, period: Duration) -> None:
        """The most urgent window comes first."""
        rates = [w.burn_rate(period) for w in BURN_WINDOWS[period]]

        assert sorted(rates, reverse=True) == rates


class TestProblems:
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            (
                window("1/100", "1h", "1h"),
                "must be longer than its second window and shorter than 30d",
            ),
            (
                window("1", "30d", "1h"),
                "must be longer than its second window and shorter than 30d",
            ),
            (window("1/100", "1d", "2h"), "fires at a burn rate of 0.3, while the SLO is met"),
            (
                window("1/2", "1h", "5m"),
                "can never fire: it needs 3600% of events to be bad",
            ),
        ],
    )
    def test_window_with_fault_is_named_with_reason(self, row: BurnWindow, problem: str) -> None:
        """A window with a fault is named with the reason."""
        problems = list(problems_of([row], Duration("30d"), Fraction(1, 10)))

        assert [f"the {row.long}/{row.short} page window {problem}"] == problems

    def test_just_out_of_reach(self) -> None:
        """A window that needs every event to be bad is refused."""
        tenfold = window("1/3", "1d", "2h")

        problems = list(problems_of([tenfold], Duration("30d"), Fraction(1, 10)))

        assert 10 == tenfold.burn_rate(Duration("30d"))
        assert 1 == len(problems)

    def test_window_that_needs_nearly_every_event_to_be_bad_is_accepted(self) -> None:
        """A window that needs nearly every event to be bad is accepted."""
        problems = list(
            problems_of([window("33/100", "1d", "2h")], Duration("30d"), Fraction(1, 10))
        )

        assert [] == problems

    def test_burn_rate_of_exactly_1_is_accepted(self) -> None:
        """A burn rate of exactly 1 is accepted: a faster one exhausts the budget."""
        problems = list(problems_of([window("1/10", "3d", "6h")], Duration("30d"), Fraction(1, 20)))

        assert [] == problems
