from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Objective
from otel_meta.errors import DeclarationError
from otel_meta.model import Budget
from otel_meta.model.objective import exact_decimal

percentages = st.decimals(
    min_value=Decimal("0.000001"), max_value=Decimal("99.999999"), places=6
).map(lambda number: f"{number:f}%")
objectives = percentages.map(Objective)
counts = st.fractions(min_value=0, max_value=10**9, max_denominator=1000)


class TestObjective:
    @given(percentages)
    def test_exact(self, text: str) -> None:
        """The ratio is the percentage as written, with no rounding."""
        objective = Objective(text)

        assert Fraction(text.removesuffix("%")) / 100 == objective.ratio

    @given(objectives)
    def test_budget(self, objective: Objective) -> None:
        """What must be good and what may be bad are together all there is."""
        assert 1 == objective.ratio + objective.budget

    @given(objectives)
    def test_round_trip(self, objective: Objective) -> None:
        """What an objective writes reads as the same objective."""
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
    def test_examples(self, text: str, written: str, budget: Fraction) -> None:
        """It is written in as few digits as hold it."""
        objective = Objective(text)

        assert (written, budget) == (str(objective), objective.budget)

    @pytest.mark.parametrize(
        "text",
        ["", "%", "99.9", "0.999", "100%", "100.0%", "0%", "0.00%", "-1%", "101%", "99,9%", "9 9%"],
    )
    def test_refused(self, text: str) -> None:
        """What is no percentage between 0 and 100 is refused, with an example of one."""
        with pytest.raises(DeclarationError, match=r"objective '.*': is not a perc.*write it as"):
            Objective(text)

    def test_of(self) -> None:
        """An objective is taken as it is, and text is read."""
        objective = Objective("99%")

        assert objective is Objective.of(objective)
        assert objective == Objective.of("99%")

    def test_order(self) -> None:
        """The stricter promise is the larger one."""
        assert Objective("99%") < Objective("99.9%")


class TestBudget:
    @given(objective=objectives, bad=counts, total=counts.filter(bool))
    def test_identity(self, objective: Objective, bad: Fraction, total: Fraction) -> None:
        """What is spent and what is left are together one budget."""
        budget = Budget(objective, bad, total)
        assert budget.spent is not None
        assert budget.left is not None

        assert 1 == budget.spent + budget.left

    @given(objective=objectives, total=counts.filter(bool))
    def test_all_spent(self, objective: Objective, total: Fraction) -> None:
        """Just as many bad events as the objective allows spend the budget exactly."""
        assert 1 == Budget(objective, total * objective.budget, total).spent

    @given(objective=objectives, bad=counts, total=counts.filter(bool), more=counts.filter(bool))
    def test_scale(
        self, objective: Objective, bad: Fraction, total: Fraction, more: Fraction
    ) -> None:
        """The same share of bad events spends the same, however many events there are."""
        few, many = Budget(objective, bad, total), Budget(objective, bad * more, total * more)

        assert few.spent == many.spent

    @given(objective=objectives, total=counts.filter(bool))
    def test_untouched(self, objective: Objective, total: Fraction) -> None:
        """Nothing bad leaves all of it."""
        assert 1 == Budget(objective, Fraction(0), total).left

    def test_overspent(self) -> None:
        """Twice the bad events that are allowed leave less than nothing."""
        assert -1 == Budget(Objective("99%"), Fraction(2), Fraction(100)).left

    def test_no_events(self) -> None:
        """Without events nothing is known: None, never 'all is left'."""
        budget = Budget(Objective("99%"), Fraction(0), Fraction(0))

        assert (None, None) == (budget.spent, budget.left)


class TestExactDecimal:
    @given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**6)))
    def test_round_trip(self, number: Decimal) -> None:
        """A decimal number is written so that it reads as the same number."""
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
    def test_shortest(self, value: Fraction, written: str) -> None:
        """No digit is written that is not needed."""
        assert written == exact_decimal(value)

    @pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(1, 6), Fraction(3, 7)])
    def test_endless(self, value: Fraction) -> None:
        """A fraction without a finite decimal form is refused, not rounded."""
        with pytest.raises(ValueError, match="no finite decimal form"):
            exact_decimal(value)
