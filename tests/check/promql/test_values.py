from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.promql.values import ABSENT, ANY, PRESENT, Values, one_of

VALUES = st.text("abc", max_size=1)
SETS = st.builds(Values, st.frozensets(VALUES, max_size=3), st.booleans())


class TestValues:
    @given(SETS, SETS, VALUES)
    def test_intersection_contains_values_of_both_sets(
        self, one: Values, other: Values, value: str
    ) -> None:
        """An intersection contains the values of both sets."""
        assert (value in one and value in other) == (value in one & other)

    @given(SETS, SETS, VALUES)
    def test_union_contains_values_of_either_set(
        self, one: Values, other: Values, value: str
    ) -> None:
        """A union contains the values of either set."""
        assert (value in one or value in other) == (value in one | other)

    @given(SETS, VALUES)
    def test_complement_contains_all_other_values(self, values: Values, value: str) -> None:
        """A complement contains all other values."""
        assert (value not in values) == (value in ~values)

    @given(SETS, VALUES)
    def test_false_set_contains_no_value(self, values: Values, value: str) -> None:
        """A false set contains no value."""
        assert values or value not in values

    @pytest.mark.parametrize(
        ("words", "values"),
        [
            ("absent", ABSENT),
            ("present", PRESENT),
            ("anything", ANY),
            ('"a" or "b"', one_of("ba")),
        ],
    )
    def test_set_is_readable_as_text(self, words: str, values: Values) -> None:
        """A set is readable as text."""
        assert words == str(values)
