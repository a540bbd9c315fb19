from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Objective
from otel_meta.errors import DeclarationError
from otel_meta.model import Budget
from otel_meta.model.slo.objective import exact_decimal

percentages = st.decimals(
    min_value=Decimal("0.000001"), max_value=Decimal("99.999999"), places=6
).map(lambda number: f"{number:f}%")
objectives = percentages.map(Objective)
counts = st.fractions(min_value=0, max_value=10**9, max_denominator=1000)


class TestObjective:
    @given(percentages)
    def test_ratio_is_exact_percentage(self, text: str) -> None:
        """The ratio is the exact percentage."""
        objective = Objective(text)

        assert Fraction(text.removesuffix("%")) / 100 == objective.ratio

    @given(objectives)
    def test_ratio_and_budget_add_up_to_one(self, objective: Objective) -> None:
        """The ratio and the budget add up to one."""
        assert 1 == objective.ratio + objective.budget

    @given(objectives)
    def test_text_of_objective_parses_as_same_objective(self, objective: Objective) -> None:
        """The text of an objective parses as the same objective."""
        assert objective == Objective(str(objective))

    @pytest.mark.parametrize(
        ("text", "written", "budget"),
        [
            ("99.9%", "99.9%", Fraction(1, 1000)),
            ("99.90%", "99.9%", Fraction(1, 1000)),
            ("99.95 %", "99.95%", Fraction(1, 2000)),
            ("95%", "95%", Fraction(1, 20)),
            ("0.5%", "0.5%", Fraction(199, 200)),
        ],
    )
    def test_text_of_objective_has_no_needless_digits(
        self, text: str, written: str, budget: Fraction
    ) -> None:
        """The text of an objective has no needless digits."""
        objective = Objective(text)

        assert (written, budget) == (str(objective), objective.budget)

    @pytest.mark.parametrize(
        "text",
        ["", "%", "99.9", "0.999", "100%", "100.0%", "0%", "0.00%", "-1%", "101%", "99,9%", "9 9%"],
    )
    def test_text_without_percentage_between_0_and_100_is_refused(self, text: str) -> None:
        """Text without a percentage between 0 and 100 is refused with an example."""
        with pytest.raises(DeclarationError, match=r"objective '.*': is not a perc.*write it as"):
            Objective(text)

    def test_objective_is_returned_unchanged_and_text_is_parsed(self) -> None:
        """An objective is returned unchanged, and text is parsed."""
        objective = Objective("99%")

        assert objective is Objective.of(objective)
        assert objective == Objective.of("99%")

    def test_stricter_objective_is_larger(self) -> None:
        """A stricter objective is larger."""
        assert Objective("99%") < Objective("99.9%")


class TestBudget:
    @given(objective=objectives, bad=counts, total=counts.filter(bool))
    def test_spent_and_remaining_share_add_up_to_one_budget(
        self, objective: Objective, bad: Fraction, total: Fraction
    ) -> None:
        """The spent and the remaining share add up to one budget."""
        budget = Budget(objective, bad, total)
        assert budget.spent is not None
        assert budget.left is not None

        assert 1 == budget.spent + budget.left

    @given(objective=objectives, total=counts.filter(bool))
    def test_as_many_bad_events_as_objective_allows_spend_exactly_budget(
        self, objective: Objective, total: Fraction
    ) -> None:
        """As many bad events as the objective allows spend exactly the budget."""
        assert 1 == Budget(objective, total * objective.budget, total).spent

    @given(objective=objectives, bad=counts, total=counts.filter(bool), more=counts.filter(bool))
    def test_equal_share_of_bad_events_spends_equal_share_of_budget(
        self, objective: Objective, bad: Fraction, total: Fraction, more: Fraction
    ) -> None:
        """An equal share of bad events spends an equal share of the budget."""
        few, many = Budget(objective, bad, total), Budget(objective, bad * more, total * more)

        assert few.spent == many.spent

    @given(objective=objectives, total=counts.filter(bool))
    def test_without_bad_events_whole_budget_is_left(
        self, objective: Objective, total: Fraction
    ) -> None:
        """Without bad events the whole budget is left."""
        assert 1 == Budget(objective, Fraction(0), total).left

    def test_twice_allowed_bad_events_leave_negative_budget(self) -> None:
        """Twice the allowed bad events leave a negative budget."""
        assert -1 == Budget(Objective("99%"), Fraction(2), Fraction(100)).left

    def test_without_events_budget_is_none(self) -> None:
        """Without events the budget is None."""
        budget = Budget(Objective("99%"), Fraction(0), Fraction(0))

        assert (None, None) == (budget.spent, budget.left)


class TestExactDecimal:
    @given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**6)))
    def test_text_of_decimal_number_parses_as_same_number(self, number: Decimal) -> None:
        """The text of a decimal number parses as the same number."""
        assert Fraction(number) == Fraction(exact_decimal(Fraction(number)))

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Fraction(0), "0"),
            (Fraction(1, 1000), "0.001"),
            (Fraction(-1, 8), "-0.125"),
            (Fraction(72, 5), "14.4"),
            (Fraction(100), "100"),
        ],
    )
    def test_decimal_number_is_written_without_needless_digits(
        self, value: Fraction, written: str
    ) -> None:
        """A decimal number is written without needless digits."""
        assert written == exact_decimal(value)

    @pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(1, 6), Fraction(3, 7)])
    def test_fraction_without_finite_decimal_form_is_refused(self, value: Fraction) -> None:
        """A fraction without a finite decimal form is refused."""
        with pytest.raises(ValueError, match="no finite decimal form"):
            exact_decimal(value)
