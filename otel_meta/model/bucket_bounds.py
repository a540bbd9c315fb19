"""Spellings of a histogram's bucket bound in the label ``le``."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from .slo.objective import exact_decimal

_SHORTEST_PLAIN = 1e-4
_LONGEST_PLAIN = 1e6
"""Go's ``%g`` writes an exponent below the first number and from the second number on."""


def le_spellings(bound: float) -> tuple[str, ...]:
    """Return every spelling that an export path may give a bound, the plain decimal first.

    Examples:
        >>> le_spellings(0.1), le_spellings(1.0), le_spellings(1_234_567.0)
        (('0.1',), ('1', '1.0'), ('1234567', '1234567.0', '1.234567e+06'))

    Python's exposition writes ``repr``. Prometheus keeps this text or writes Go's ``%g``, with or
    without ``.0``; its OTLP receiver writes Go's ``%g``.
    """
    python = repr(float(bound))
    plain = exact_decimal(Fraction(python))
    exponent = [] if _SHORTEST_PLAIN <= bound < _LONGEST_PLAIN else [_with_exponent(python)]
    return tuple(dict.fromkeys([plain, python, *exponent]))


def _with_exponent(python: str) -> str:
    # From the decimal, not from the float: the digits of `repr` are the shortest, not the nearest.
    decimal = Decimal(python)
    digits = len(decimal.normalize().as_tuple().digits)
    mantissa, exponent = f"{decimal:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent):+03d}"
