from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_meta.model.bucket_bounds import le_spellings

bounds = st.floats(min_value=0, exclude_min=True, allow_infinity=False)


def go(bound: float) -> str:
    """Write a float as Go's ``strconv.FormatFloat(f, 'g', -1, 64)`` does."""
    _, digits, exponent = Decimal(repr(bound)).normalize().as_tuple()
    assert isinstance(exponent, int)
    power = len(digits) + exponent - 1
    first, *rest = map(str, digits)
    if -4 <= power < 6:
        return f"{Decimal(repr(bound)).normalize():f}"
    fraction = f".{''.join(rest)}" if rest else ""
    return f"{first}{fraction}e{'-' if power < 0 else '+'}{abs(power):02}"


@pytest.mark.parametrize(
    ("bound", "text"),
    [(0.1, "0.1"), (1e6, "1e+06"), (1_234_567.0, "1.234567e+06"), (1e-5, "1e-05"), (250.0, "250")],
)
def test_go_writes_text(bound: float, text: str) -> None:
    """The formatter of this file writes the texts that Go is known to write."""
    assert text == go(bound)


@given(bounds)
def test_spellings_include_go_and_python(bound: float) -> None:
    """The spellings of a bound include Python's and Go's, with and without a fraction."""
    prometheus_3 = go(bound) if set(go(bound)) & {".", "e"} else f"{go(bound)}.0"

    assert {repr(bound), go(bound), prometheus_3} <= {*le_spellings(bound)}


@given(bounds)
@example(2.0**-24)  # its nearest decimal of 16 digits is another float
def test_spellings_are_equal_numbers(bound: float) -> None:
    """Every spelling of a bound is the same number, and no spelling occurs twice."""
    spellings = le_spellings(bound)

    assert {bound} == {float(text) for text in spellings}
    assert len({*spellings}) == len(spellings)
