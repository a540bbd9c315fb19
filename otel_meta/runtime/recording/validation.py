"""Numbers of any type as plain ones; what is no number, or no finite one, is refused."""

from __future__ import annotations

from typing import Any, Final

MAX_MAGNITUDE: Final = 1e290
"""No measurement, and far enough below the largest float that sums of such stay finite."""


def finite(value: Any) -> float:
    """A finite number as a float: Decimal's, numpy's. Text is not a number, whatever it says.

    Raises:
        TypeError: it is no number. Whatever else its conversion raises comes through.
        ValueError: it is not finite.
    """
    number = _plain(value)
    if not -MAX_MAGNITUDE < number < MAX_MAGNITUDE:
        raise ValueError(f"{value!r} is not finite")
    return number


def not_negative(value: Any) -> float:
    """A finite number that is not negative, likewise.

    Raises:
        TypeError: it is no number. Whatever else its conversion raises comes through.
        ValueError: it is negative or not finite.
    """
    number = _plain(value)
    if not 0 <= number < MAX_MAGNITUDE:
        raise ValueError(f"{value!r} is not a finite amount of at least 0")
    return number


def _plain(value: Any) -> float:
    if not hasattr(value, "__float__"):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
