"""What is promised, exactly: 99.9 % is 999/1000, and its budget 1/1000."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Final

from otel_meta.errors import DeclarationError

from ._frozen import set_fields

_FORM: Final = re.compile(r"([0-9]{1,2}(?:\.[0-9]+)?) ?%")


@dataclass(frozen=True, order=True, init=False)
class Objective:
    """The share of events that must be good, between 0 % and 100 %, both excluded.

    A fraction, not a float: ``1 - 0.999`` is 0.0010000000000000009, and rules that print it
    are wrong by their own account. 100 % is refused because it leaves no budget to burn.

    >>> Objective("99.9%").budget
    Fraction(1, 1000)
    """

    ratio: Fraction

    def __init__(self, text: str) -> None:
        form = _FORM.fullmatch(text)
        ratio = Fraction(form[1]) / 100 if form else Fraction(0)
        if ratio == 0:
            raise DeclarationError(
                f"objective {text!r}",
                "is not a percentage above 0 % and below 100 %",
                'write it as "99.9%"; a promise of 100 % has no error budget, so alert on the '
                "first bad event instead",
            )
        set_fields(self, ratio=ratio)

    @classmethod
    def of(cls, value: str | Objective) -> Objective:
        """Take an objective as it is, or read it from text.

        Raises:
            DeclarationError: the text is no percentage between 0 and 100.
        """
        return value if isinstance(value, Objective) else cls(value)

    @property
    def budget(self) -> Fraction:
        """The share of events that may be bad."""
        return 1 - self.ratio

    def __repr__(self) -> str:
        return f"Objective({str(self)!r})"

    def __str__(self) -> str:
        """The percentage in as few digits as hold it exactly."""
        return f"{exact_decimal(self.ratio * 100)}%"


@dataclass(frozen=True)
class Budget:
    """How much of an error budget is gone, from counts of events over one period.

    ``bad`` and ``total`` are counts of events (of seconds, for time slices); the formulas are
    the SRE workbook's, chapter 5: spent = (bad / total) / (1 - objective).
    """

    objective: Objective
    bad: Fraction
    total: Fraction

    @property
    def spent(self) -> Fraction | None:
        """Share of the budget that is gone: 1 is all, 2 twice as much; None without events."""
        if self.total <= 0:
            return None
        return self.bad / self.total / self.objective.budget

    @property
    def left(self) -> Fraction | None:
        """Share of the budget that is left; negative once overspent, None without events."""
        spent = self.spent
        return None if spent is None else 1 - spent


def exact_decimal(value: Fraction) -> str:
    """Write a fraction that has a finite decimal form in exactly that form.

    Raises:
        ValueError: the fraction has none (1/3).
    """
    digits = 0
    while value.denominator != 1:
        if gcd(value.denominator, 10) == 1:
            raise ValueError("no finite decimal form")
        value, digits = value * 10, digits + 1
    whole = str(abs(value.numerator)).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole)
