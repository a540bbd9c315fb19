"""The values of a status as a person reads them in a cell of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_meta.status.page.words import count, duration, place
from otel_meta.status.status_json import StatusJson

NO_VALUE: Final = "-"
_SHOWN_AS_MULTIPLE: Final = -10
"""A lower share of error budget left is shown as a multiple, not as a percentage."""
_LARGE: Final = 100
"""A number from which decimals are not shown."""


def count_text(number: float, unit: str) -> str:
    """Return a count of events, or a time for time slices."""
    return f"{number:.0f} s" if unit == "seconds" else count(number)


def percent_text(share: float | None, decimals: int = 1) -> str:
    """Return a share as a percentage; far below zero, as a multiple."""
    if share is None:
        return NO_VALUE
    return f"{share:.{decimals}%}" if share > _SHOWN_AS_MULTIPLE else f"{share:.0f} x"


def rate_text(rate: float | None) -> str:
    """Return a burn rate."""
    return NO_VALUE if rate is None else f"{rate:.{0 if rate >= _LARGE else 1}f}"


def time_text(seconds: float | None) -> str:
    """Return a time in its largest sensible unit."""
    return NO_VALUE if seconds is None else duration(seconds)


def fastest_text(rates: Mapping[str, float | None]) -> str:
    """Return the highest burn rate and its lookback."""
    known = [(rate, span) for span, rate in rates.items() if rate is not None]
    if not known:
        return NO_VALUE
    rate, span = max(known, key=lambda pair: pair[0])
    return f"{rate_text(rate)} ({span})"


def exhausted_text(row: StatusJson) -> str:
    """Return the time until the error budget is gone."""
    left = row["budget_left"]
    if left is not None and left <= 0:
        return "gone"
    return time_text(row["exhausted_in_seconds"])


def service_text(row: StatusJson) -> str:
    """Return the name of the service, with the places that it has."""
    return place(row) or NO_VALUE
