from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.promql.values import ABSENT, ANY, PRESENT, Values, one_of

VALUES = st.text("abc", max_size=1)
SETS = st.builds(Values, st.frozensets(VALUES, max_size=3), st.booleans())


class TestValues:
    @given(SETS, SETS, VALUES)
    def test_and(self, one: Values, other: Values, value: str) -> None:
        """What both may be."""
        assert (value in one and value in other) == (value in one & other)

    @given(SETS, SETS, VALUES)
    def test_or(self, one: Values, other: Values, value: str) -> None:
        """What either may be."""
        assert (value in one or value in other) == (value in one | other)

    @given(SETS, VALUES)
    def test_not(self, values: Values, value: str) -> None:
        """What it may not be."""
        assert (value not in values) == (value in ~values)

    @given(SETS, VALUES)
    def test_never(self, values: Values, value: str) -> None:
        """Nothing is in what is false."""
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
    def test_words(self, words: str, values: Values) -> None:
        """A message can say it."""
        assert words == str(values)
