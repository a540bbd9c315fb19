"""Numbers, comparisons and selectors in the notation of PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from otel_meta.model.selector import Matcher, Presence
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.objective import exact_decimal

_RE2_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")


def number(value: Fraction | float) -> str:
    """Return a number in its exact decimal form: 0.0144, not 0.014400000000000001."""
    try:
        return exact_decimal(
            Fraction(value) if isinstance(value, Fraction) else Fraction(repr(value))
        )
    except ValueError:
        return repr(float(value))


def compared(comparison: Comparison) -> str:
    """Return an operator and its bound, to follow an expression."""
    return f"{comparison.operator} {number(comparison.bound)}"


def selector(name: str, matchers: Iterable[str] = ()) -> str:
    """Return a vector selector."""
    inside = ",".join(matchers)
    return f"{name}{{{inside}}}" if inside else name


def matcher(declared: Matcher) -> str:
    """Return a label matcher."""
    match declared.values:
        case Presence():
            return f'{declared.label}!=""'
        case values:
            return one_of(declared.label, values)


def equals(label: str, value: str) -> str:
    """Return a matcher of one value."""
    return f"{label}={quoted(value)}"


def one_of(label: str, values: Sequence[str]) -> str:
    """Return a matcher of any of these values."""
    if len(values) == 1:
        return equals(label, values[0])
    return f"{label}=~{quoted('|'.join(map(escaped, values)))}"


def quoted(text: str) -> str:
    """Return a string in PromQL's quotes."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: str) -> str:
    """Return a regular expression that matches a text only."""
    return _RE2_SPECIAL.sub(r"\\\g<0>", text)
