"""PromQL in small pieces: selectors, numbers and sums that stay valid in Prometheus 2.42 and 3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from otel_meta.model import Duration, Selector
from otel_meta.model.bucket_bounds import le_spellings
from otel_meta.model.comparison import Comparison
from otel_meta.model.objective import exact_decimal
from otel_meta.model.selector import Matcher, Presence

from .intervals import EVALUATIONS_PER_WINDOW, INCREASE_WINDOW
from .series_names import NAMESPACE

DENSE: Final = Duration("6h")
"""Spans up to this are summed from every evaluation, longer ones from one in five minutes: a sum
over 30 days then reads 8,640 samples a series instead of 43,200."""


def number(value: Fraction | float) -> str:
    """A number as it was meant: 0.0144, not 0.014400000000000001."""
    try:
        return exact_decimal(
            Fraction(value) if isinstance(value, Fraction) else Fraction(repr(value))
        )
    except ValueError:
        return repr(float(value))


def compared(comparison: Comparison) -> str:
    """An operator and its bound, to follow an expression."""
    return f"{comparison.operator} {number(comparison.bound)}"


def selector(name: str, matchers: Iterable[str] = ()) -> str:
    """A series by its name and matchers."""
    inside = ",".join(matchers)
    return f"{name}{{{inside}}}" if inside else name


def equals(label: str, value: str) -> str:
    """A matcher of one value."""
    return f"{label}={quoted(value)}"


def quoted(text: str) -> str:
    """A string as PromQL writes it."""
    return json.dumps(text, ensure_ascii=False)


def series_of(match: Selector, namespace: str, suffix: str = "", *more: str) -> str:
    """The series of a match in one meta-repository; ``suffix`` chooses among a histogram's."""
    matchers = [equals(NAMESPACE, namespace), *map(matcher, match.matchers), *more]
    return selector(match.instrument.prometheus_name + suffix, matchers)


def bucket(bound: float) -> str:
    """A matcher of a histogram's bucket, in every spelling that an export path gives its bound."""
    plain, *others = le_spellings(bound)
    if not others:
        return equals("le", plain)
    if others == [f"{plain}.0"]:
        return f"le=~{quoted(plain + _WHOLE)}"
    return f"le=~{quoted('|'.join(map(_escaped, (plain, *others))))}"


def _escaped(text: str) -> str:
    return _RE2_SPECIAL.sub(r"\\\g<0>", text)


def count_suffix(match: Selector) -> str:
    """What to append to a metric's name to count its events."""
    return match.instrument.traits.count_suffix


def sum_by(labels: Iterable[str], expression: str, operator: str = "sum") -> str:
    """An aggregation that keeps these labels."""
    return f"{operator} by ({', '.join(labels)}) ({expression})"


def sum_over(series: str, span: Duration) -> str:
    """Return the sum of a recorded increase over a span, to be divided by another such sum.

    Up to `DENSE` every event is in the sum `EVALUATIONS_PER_WINDOW` times; the factor cancels.
    """
    window = str(span) if span <= DENSE else f"{span}:{INCREASE_WINDOW}"
    return f"sum_over_time({series}[{window}])"


def events_over(series: str, span: Duration) -> str:
    """How many events a five-minute increase adds up to over a span."""
    summed = sum_over(series, span)
    return f"{summed} / {EVALUATIONS_PER_WINDOW}" if span <= DENSE else summed


def lines(*parts: str) -> str:
    """An expression over several lines."""
    return "\n".join(parts)


def matcher(condition: Matcher) -> str:
    """What one label has to be."""
    match condition.values:
        case Presence():
            return f'{condition.label}!=""'
        case (value,):
            return equals(condition.label, value)
        case values:
            pattern = "|".join(map(_escaped, values))
            return f"{condition.label}=~{quoted(pattern)}"


_WHOLE: Final = r"(\.0)?"
_RE2_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
