"""Numbers in words: 13 of 15,000 requests bad, gone in 86 min."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.model import Objective
from otel_meta.model.identity import NAMESPACE, SERVICE
from otel_meta.status.status_json import StatusJson

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"breached": "Breached", "at_risk": "At risk", "no_data": "No data", "ok": "OK"}
)
"""The words of the states, worst first."""
UNKNOWN: Final = "unknown"
MINUS: Final = "\N{MINUS SIGN}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"))
_LEAST_UNITS: Final = 1.5
"""From how many on a unit is used: 86 min, but 1.5 h."""
_EXACT: Final = 10
"""Numbers below have a decimal."""
_NEARLY_ALL: Final = 99


def count(value: float) -> str:
    """Return a number of events, with a comma between thousands."""
    return signed(f"{value:,.1f}".removesuffix(".0") if abs(value) < _EXACT else f"{value:,.0f}")


def duration(seconds: float) -> str:
    """Return a duration in its largest sensible unit, rounded down."""
    for size, unit in _UNITS:
        if seconds >= _LEAST_UNITS * size:
            return f"{_rounded_down(seconds / size)} {unit}"
    return f"{_rounded_down(seconds)} s"


def percent(share: float) -> str:
    """Return a share of a budget, rounded down: a budget that is overspent never reads as 0 %."""
    value = round(100 * share, 9)
    is_exact = abs(value) < _EXACT or value > _NEARLY_ALL
    rounded = math.floor(10 * value) / 10 if is_exact else math.floor(value)
    return signed(f"{rounded:,.1f}".removesuffix(".0")) + " %"


def times(rate: float | None) -> str:
    """Return a burn rate."""
    if rate is None:
        return "no events"
    number = f"{rate:,.1f}".removesuffix(".0") if rate < 10 * _EXACT else f"{rate:,.0f}"
    return number + TIMES


def signed(number: str) -> str:
    """Return a number with the typographic sign, which lines do not break after."""
    return number.replace("-", MINUS)


def good_share(row: StatusJson) -> str:
    """Return the share of good events, with two decimals more than the objective has.

    The share is rounded down: an SLO that is not met never reads as met.
    """
    if row["sli"] is None:
        return UNKNOWN
    decimals = len(row["objective"].rstrip("%").partition(".")[2]) + 2
    scale = 10**decimals
    return f"{math.floor(round(100 * row['sli'] * scale, 6)) / scale:.{decimals}f} %"


def bad_events(row: StatusJson) -> str:
    """Return the bad events among all events, and the bad events that the budget allows."""
    allowed = float(Objective(row["objective"]).budget) * row["total"]
    whole = allowed if row["unit"] == "seconds" else math.floor(allowed)
    bad, total = _amount(row, row["bad"]), _amount(row, row["total"])
    return f"{bad} of {total}{_noun(row)} bad; the budget allows {_amount(row, whole)}"


def excluded_events(row: StatusJson) -> str | None:
    """Return the events that corrections exclude; None without such events."""
    bad, total = row["excluded_bad"], row["excluded_total"]
    if not total:
        return None
    return f"{_amount(row, total)}{_noun(row)} by corrections, {_amount(row, bad)} of them bad"


def _amount(row: StatusJson, value: float) -> str:
    """Return a number of events, or a duration of time slices."""
    return duration(value) if row["unit"] == "seconds" else count(value)


def _noun(row: StatusJson) -> str:
    """Return the noun after a number of events; a duration has its unit."""
    return "" if row["unit"] == "seconds" else f" {row['noun']}"


def budget_left(row: StatusJson) -> str:
    """Return how much of the error budget is left."""
    left = row["budget_left"]
    if left is None:
        return "budget unknown"
    if left < 0:
        return f"overspent by {percent(left).removeprefix(MINUS)}"
    return f"{percent(left)} of the budget left"


def end_of_budget(row: StatusJson) -> str:
    """Return when the error budget will be gone."""
    left, seconds = row["budget_left"], row["exhausted_in_seconds"]
    if left is None:
        return ""
    if left <= 0:
        return "gone"
    return "lasts the period" if seconds is None else f"gone in {duration(seconds)}"


def seen(row: StatusJson) -> str:
    """Return the part of the period in which the service had data."""
    return f"{duration(row['covered_seconds'])} of {period(row['period'])}"


def period(text: str) -> str:
    """Return a duration of a declaration with a space before its unit."""
    return f"{text[:-1]} {text[-1:].replace('m', 'min')}"


def place(row: StatusJson) -> str:
    """Return the service of an SLO, and its environment and cluster."""
    labels = row["service"]
    others = [value for name, value in labels.items() if name not in {SERVICE, NAMESPACE}]
    return ", ".join([value for value in (labels.get(SERVICE, ""), *others) if value])


def spaced(percentage: str) -> str:
    """Return a percentage of a declaration with a space before its sign."""
    return percentage.replace("%", " %")


def _rounded_down(value: float) -> str:
    if value >= _EXACT:
        return f"{math.floor(value + 1e-9):,}"
    return f"{math.floor(10 * value + 1e-9) / 10:.1f}".removesuffix(".0")
