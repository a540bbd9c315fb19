"""Validation of recorded values: conversion to float, and refusal of all but finite numbers.

Nothing is raised: a value that cannot be recorded is None, and `describe_refusal` says why. What
the conversion raises is the fault of the value; what a signal handler raises meanwhile is not.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.text import utf8_text

MAX_MAGNITUDE: Final = 1e290
"""Larger values are refused. No measurement is so large, and a sum of such values stays finite."""

_MAX_TEXT: Final = 100
"""Characters of a refused value in a message."""


def finite_float(value: Any) -> float | None:
    """Return a finite number of any type, such as Decimal or numpy's, as a float; else None.

    Text is refused, even if ``float()`` could parse it.
    """
    number = _to_float(value)
    return number if number is not None and -MAX_MAGNITUDE < number < MAX_MAGNITUDE else None


def non_negative_float(value: Any) -> float | None:
    """Return a finite number of at least 0, of any type, as a float; else None."""
    number = _to_float(value)
    return number if number is not None and 0 <= number < MAX_MAGNITUDE else None


def describe_refusal(value: Any) -> tuple[str, str]:
    """Return the problem with a refused value, in words without and with the value."""
    number = _to_float(value)
    if value is None:
        return ("no value", "has no value; give a number before the labels")
    text = utf8_text(value)[:_MAX_TEXT]
    if number is None:
        kind = type(value).__name__
        return (f"a {kind}", f"{text} ({kind}) is not a number; give an int or a float")
    if -MAX_MAGNITUDE < number < 0:
        return ("negative", f"{text} is negative, but a counter only increases; use UpDownCounter")
    return ("not finite", f"{text} is not finite, or too large")


def _to_float(value: Any) -> float | None:
    converted = array("d", (0.0,))
    try:
        converted[0] = value  # unlike a call of float(), not an instruction that raises for others
    except Exception as error:
        reraise_interruption(error)
        return None
    return converted[0]
