"""Durations in the syntax of Prometheus: 5m, 6h, 30d."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from otel_meta.errors import DeclarationError

from .arguments import full_match, set_fields
from .declared_call import declaring_class

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORM: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_EXAMPLES: Final = "30s, 5m, 6h or 30d"
_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]+)?) *([A-Za-z]+)")
_WORDS: Final[dict[str, int]] = {
    word + plural: _SECONDS[unit] * times
    for unit, times, words in (
        ("s", 1, "s sec second"),
        ("m", 1, "m min minute"),
        ("h", 1, "h hr hour"),
        ("d", 1, "d day"),
        ("d", 7, "w week"),
        ("d", 30, "mo month"),
        ("d", 365, "y year"),
    )
    for word in words.split()
    for plural in ("", "s")
}
"""Words for units of other tools, each with the number of seconds."""


@declaring_class
@dataclass(frozen=True, order=True, init=False)
class Duration:
    """A whole number of seconds, minutes, hours or days.

    Examples:
        >>> Duration("90m").seconds, str(Duration("120m"))
        (5400, '2h')
    """

    seconds: int

    def __init__(self, text: str) -> None:
        form = full_match(_FORM, text)
        if form is None:
            raise DeclarationError(
                f"duration {text!r}",
                "is not a whole number above 0 and a unit",
                f"write it as {_right_form(text)}",
            )
        set_fields(self, seconds=int(form[1]) * _SECONDS[form[2]])

    @classmethod
    def of(cls, value: str | Duration) -> Duration:
        """Parse a duration; return a `Duration` unchanged.

        Raises:
            DeclarationError: the text is not a duration.
        """
        return value if isinstance(value, Duration) else cls(value)

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"

    def __str__(self) -> str:
        """Return the shortest text with one unit, in the syntax of PromQL."""
        return _plain(self.seconds)


def _right_form(given: object) -> str:
    """Return the right form of a duration in another form, such as "30 days" or 1h30m."""
    seconds = given.total_seconds() if isinstance(given, timedelta) else _seconds_of(str(given))
    right = _plain(int(seconds)) if seconds >= 1 and seconds % 1 == 0 else ""
    return f'"{right}"' if _FORM.fullmatch(right) else _EXAMPLES


def _seconds_of(text: str) -> Fraction:
    """Return the seconds of numbers with units, such as 1h30m; 0 for another text."""
    parts = [(number, _WORDS.get(unit.lower(), 0)) for number, unit in _PART.findall(text)]
    is_read = all(size for _, size in parts) and not _PART.sub("", text).strip(" ,")
    return sum((Fraction(n) * size for n, size in parts if is_read), Fraction(0))


def _plain(seconds: int) -> str:
    """Return the shortest text with one unit."""
    unit = next(u for u in "dhms" if seconds % _SECONDS[u] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"
