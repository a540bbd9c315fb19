"""Bounds of a histogram's buckets: spellings in the label ``le``, and exponential bounds."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from .slo.objective import exact_decimal

_SHORTEST_PLAIN = 1e-4
_LONGEST_PLAIN = 1e6
"""Go's ``%g`` writes an exponent below the first number and from the second number on."""

SCHEMA: Final = 3
"""Prometheus' number of the resolution of native histograms: a bucket is 9 % wide.

Each power of two has ``2 ** SCHEMA`` buckets.
"""


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


def exponential_bound(index: int) -> float:
    """Return the upper bound of an exponential bucket; the bucket 0 ends at 1."""
    power, step = divmod(index, 2**SCHEMA)
    return math.ldexp(2 ** (step / 2**SCHEMA), power)


def exponential_index(value: float) -> int:
    """Return the index of the exponential bucket of a value above zero."""
    near = math.ceil(math.log2(value) * 2**SCHEMA)  # the logarithm may be rounded
    return next(index for index in range(near - 1, near + 2) if value <= exponential_bound(index))


@lru_cache(maxsize=256)
def native_bounds(buckets: tuple[float, ...]) -> tuple[float, ...]:
    """Return declared bounds together with the exponential bounds of their range.

    The range begins at the last exponential bound that is not above the lowest declared bound, and
    ends at the first that is not below the highest.
    """
    first, last = exponential_index(buckets[0]), exponential_index(buckets[-1])
    begin = first if exponential_bound(first) == buckets[0] else first - 1
    return tuple(sorted({*buckets, *map(exponential_bound, range(begin, last + 1))}))
