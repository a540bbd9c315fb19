"""Objectives and error budgets as exact fractions: 99.9 % is 999/1000, its budget 1/1000."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Final

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import exact_fraction, full_match, set_fields
from otel_meta.model.declared_call import declaring_class

LEAST_COVERAGE: Final = 0.25
"""The least share of the period with data before an overspent budget is a breach that pages."""

_ALL: Final = 100
_FORM: Final = re.compile(r"([0-9]{1,2}(?:\.[0-9]+)?) ?%")


@declaring_class
@dataclass(frozen=True, order=True, init=False)
class Objective:
    """Share of events that must be good, above 0 % and below 100 %.

    The share is a fraction because ``1 - 0.999`` is 0.0010000000000000009 in floats, and generated
    rules would show that number. 100 % is refused because it leaves no error budget.

    Examples:
        >>> Objective("99.9%").budget
        Fraction(1, 1000)
    """

    ratio: Fraction

    def __init__(self, text: str) -> None:
        form = full_match(_FORM, text)
        ratio = Fraction(form[1]) / 100 if form else Fraction(0)
        if ratio == 0:
            raise DeclarationError(
                f"objective {text!r}",
                "is not a percentage above 0 % and below 100 %",
                f'write it as "{_percentage(text)}"; an objective of 100 % has no error budget, '
                "so alert on the first bad event instead",
            )
        set_fields(self, ratio=ratio)

    @classmethod
    def of(cls, value: str | Objective) -> Objective:
        """Parse an objective; return an `Objective` unchanged.

        Raises:
            DeclarationError: the text is not a percentage between 0 and 100.
        """
        return value if isinstance(value, Objective) else cls(value)

    @property
    def budget(self) -> Fraction:
        """Error budget: share of events that may be bad."""
        return 1 - self.ratio

    def __repr__(self) -> str:
        return f"Objective({str(self)!r})"

    def __str__(self) -> str:
        """Return the exact percentage, without trailing zeros."""
        return f"{exact_decimal(self.ratio * 100)}%"


def _percentage(given: object) -> str:
    """Return the right form of a number that is a share or a percentage."""
    text = str(given).replace(",", ".").rstrip("% ")
    number = exact_fraction(text)
    if number is None or not 0 < number < _ALL:
        return "99.9%"
    is_share = number < 1 and not str(given).rstrip().endswith("%")
    return f"{exact_decimal(number * 100 if is_share else number)}%"


@dataclass(frozen=True)
class Budget:
    """State of an error budget, from counts of events over one period.

    ``bad`` and ``total`` are counts of events, or seconds for time slices. The formula is from the
    SRE workbook, chapter 5: spent = (bad / total) / (1 - objective).
    """

    objective: Objective
    bad: Fraction
    total: Fraction

    @property
    def spent(self) -> Fraction | None:
        """Spent share of the error budget: 1 is all, 2 is twice the budget; None without events."""
        if self.total <= 0:
            return None
        return self.bad / self.total / self.objective.budget

    @property
    def left(self) -> Fraction | None:
        """Remaining share of the error budget; negative once overspent, None without events."""
        spent = self.spent
        return None if spent is None else 1 - spent


def exact_decimal(value: Fraction) -> str:
    """Return the finite decimal form of a fraction.

    Raises:
        ValueError: the fraction has no finite decimal form, such as 1/3.
    """
    digits = 0
    while value.denominator != 1:
        if gcd(value.denominator, 10) == 1:
            raise ValueError("no finite decimal form")
        value, digits = value * 10, digits + 1
    whole = str(abs(value.numerator)).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole)
