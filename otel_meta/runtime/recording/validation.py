"""Validation of recorded values: conversion to float, and refusal of all but finite numbers."""

from __future__ import annotations

from typing import Any, Final

MAX_MAGNITUDE: Final = 1e290
"""Larger values are refused. No measurement is so large, and a sum of such values stays finite."""


def finite_float(value: Any) -> float:
    """Return a finite number of any type, such as Decimal or numpy's, as a float.

    Text is refused, even if ``float()`` could parse it.

    Raises:
        TypeError: the value is not a number. Exceptions of its conversion are not caught.
        ValueError: the value is not finite.
    """
    number = _to_float(value)
    if not -MAX_MAGNITUDE < number < MAX_MAGNITUDE:
        raise ValueError(f"{value!r} is not finite")
    return number


def non_negative_float(value: Any) -> float:
    """Return a finite number of at least 0, of any type, as a float.

    Raises:
        TypeError: the value is not a number. Exceptions of its conversion are not caught.
        ValueError: the value is negative or not finite.
    """
    number = _to_float(value)
    if not 0 <= number < MAX_MAGNITUDE:
        raise ValueError(f"{value!r} is not a finite amount of at least 0")
    return number


def _to_float(value: Any) -> float:
    if not hasattr(value, "__float__"):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
