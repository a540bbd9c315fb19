from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.model.slo.comparison import Comparison, Operator

OPERATORS: list[tuple[Operator, Callable[[float, float], bool]]] = [
    ("<", operator.lt),
    ("<=", operator.le),
    (">", operator.gt),
    (">=", operator.ge),
]
numbers = st.floats(allow_nan=False)


@pytest.mark.parametrize(("spelling", "test"), OPERATORS)
@given(value=numbers, bound=numbers)
def test_comparison_holds_where_its_operator_holds(
    spelling: Operator, test: Callable[[float, float], bool], value: float, bound: float
) -> None:
    """A comparison holds where its operator holds."""
    assert test(value, bound) == Comparison(spelling, bound).holds(value)


@pytest.mark.parametrize(("spelling", "_test"), OPERATORS)
@given(value=numbers, bound=numbers)
def test_negation_holds_where_comparison_does_not_hold(
    spelling: Operator, _test: object, value: float, bound: float
) -> None:
    """A negation holds where the comparison does not hold."""
    comparison = Comparison(spelling, bound)

    assert comparison.holds(value) != comparison.negated().holds(value)
