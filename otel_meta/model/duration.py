"""Durations in the syntax of Prometheus: 5m, 6h, 30d."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from otel_meta.errors import DeclarationError

from ._frozen import set_fields

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORM: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])")


@dataclass(frozen=True, order=True, init=False)
class Duration:
    """A whole number of seconds, minutes, hours or days.

    Examples:
        >>> Duration("90m").seconds, str(Duration("120m"))
        (5400, '2h')
    """

    seconds: int

    def __init__(self, text: str) -> None:
        form = _FORM.fullmatch(str(text))  # a bare number is refused as text without a unit is
        if form is None:
            raise DeclarationError(
                f"duration {text!r}",
                "is not a whole number above 0 and a unit",
                "write it as 30s, 5m, 6h or 30d",
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
        unit = next(u for u in "dhms" if self.seconds % _SECONDS[u] == 0)
        return f"{self.seconds // _SECONDS[unit]}{unit}"
