"""Time lapse for demos and tests: multiply each span of time in rules and configurations.

At 1/60, a burn of an hour takes a minute. Names, labels, factors and thresholds stay unchanged.
Scrapes and exports have to be faster by the same factor, or a span contains too few samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from math import ceil
from typing import Any, Final, cast

REAL_TIME: Final = Fraction(1)

_MILLISECONDS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN: Final = re.compile(r"([0-9]+)([smhd])")
# Strings come first: a span inside a string stays unchanged.
_SPANS_OF_PROMQL: Final = re.compile(r'"(?:\\.|[^"\\])*"|\[[^]"]*\]|\boffset \w+')
_FIELDS: Final = frozenset(
    {"interval", "for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval"}
)


def scaled_span(text: str, scale: Fraction) -> str:
    """Multiply a span of time; the result is at least a millisecond.

    Examples:
        >>> scaled_span("5m", Fraction(1, 60)), scaled_span("1m", Fraction(1, 300))
        ('5s', '200ms')
    """
    return _SPAN.sub(lambda span: _text(_milliseconds(span) * scale), text)


def scaled_expression(expression: str, scale: Fraction) -> str:
    """Multiply every range, subquery step and offset of a PromQL expression.

    Examples:
        >>> scaled_expression('sum_over_time(x{a="[5m]"}[30d:5m] offset 1h)', Fraction(1, 60))
        'sum_over_time(x{a="[5m]"}[43200s:5s] offset 60s)'
    """

    def multiplied(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith('"') else scaled_span(found[0], scale)

    return _SPANS_OF_PROMQL.sub(multiplied, expression)


def scaled(config: Any, scale: Fraction) -> Any:
    """Multiply the intervals, waits and expressions of a configuration."""
    if scale == REAL_TIME:
        return config
    match config:
        case dict():
            fields = cast("dict[str, Any]", config)
            return {key: _field(key, value, scale) for key, value in fields.items()}
        case list():
            members = cast("Iterable[Any]", config)
            return [scaled(member, scale) for member in members]
        case _:
            return config


def _field(key: str, value: Any, scale: Fraction) -> Any:
    if key == "expr":
        return scaled_expression(value, scale)
    return scaled_span(value, scale) if key in _FIELDS else scaled(value, scale)


def _milliseconds(span: re.Match[str]) -> int:
    return int(span[1]) * _MILLISECONDS[span[2]]


def _text(milliseconds: Fraction) -> str:
    whole = max(1, ceil(milliseconds)) if milliseconds else 0
    return f"{whole // 1000}s" if whole % 1000 == 0 else f"{whole}ms"
