"""The values and bounds of alerts in the unit of their measure, as a person would write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from otel_meta.model import Instrument
from otel_meta.model.measure import Increase, Latest, Measure, Rate, RelativeChange, Share

from .promql_builder import number


@dataclass(frozen=True)
class ValueText:
    """A text with the value of an alert, and the texts of its bounds."""

    value: str
    """A template of Prometheus."""
    bound: Callable[[float], str]


def value_text(measure: Measure, bound: float) -> ValueText:
    """Return the texts of a measure's values.

    Args:
        measure: has the unit.
        bound: in the unit of the measure; its decimals and one more are shown of other numbers.
    """
    instrument = next(iter(measure.selectors())).instrument
    match measure:
        case Share() | RelativeChange():
            return _RATIO
        case Rate():
            return _decimals(_places(bound) + 1, " a second")
        case Increase() if instrument.traits.has_buckets:
            return _decimals(0)
        case _:
            return _of_unit(instrument, measure, bound)


def span_text(measure: Measure) -> str:
    """Return the span of a measure, such as " over 15m"; empty for a value of now."""
    over = None if isinstance(measure, Latest | RelativeChange) else measure.over
    return f" over {over}" if over else ""


def bound_text(instrument: Instrument[...], bound: float) -> str:
    """Return the text of a bound of a metric's values."""
    known = _known_text(instrument)
    return known.bound(bound) if known else number(bound)


def _known_text(instrument: Instrument[...]) -> ValueText | None:
    if not instrument.unit and instrument.name.endswith("ratio"):
        return _RATIO
    return _TEXTS.get(instrument.unit)


def _of_unit(instrument: Instrument[...], measure: Measure, bound: float) -> ValueText:
    known = _known_text(instrument)
    if known:
        return known
    whole = isinstance(measure, Increase | Latest)
    places = _places(bound)
    return _decimals(places + (0 if whole and not places else 1))


def _decimals(places: int, unit: str = "") -> ValueText:
    return ValueText(
        f'{{{{ printf "%.{places}f" $value }}}}{unit}', lambda bound: f"{number(bound)}{unit}"
    )


def _places(bound: float) -> int:
    """Return the number of decimals of a bound."""
    return len(number(bound).partition(".")[2])


def _percentage(bound: float) -> str:
    return f"{number(Fraction(repr(float(bound))) * 100)}%"


def _duration(bound: float) -> str:
    """Return seconds in the largest units: 90 is 1m 30s, 0.5 is 500ms."""
    if bound < 1:
        return f"{number(Fraction(repr(float(bound))) * 1000)}ms"
    parts: list[str] = []
    rest = Fraction(repr(float(bound)))
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return " ".join([*parts, *([f"{number(rest)}s"] if rest or not parts else [])])


def _bytes(bound: float) -> str:
    for size, prefix in ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "ki")):
        if abs(bound) >= size:
            return f"{bound / size:.4g}{prefix}B"
    return f"{number(bound)}B"


_RATIO: Final = ValueText("{{ $value | humanizePercentage }}", _percentage)
_TEXTS: Final[Mapping[str, ValueText]] = MappingProxyType(
    {
        "{ratio}": _RATIO,
        "{score}": _RATIO,
        "{confidence}": _RATIO,
        "{importance}": _RATIO,
        "s": ValueText("{{ $value | humanizeDuration }}", _duration),
        "d": ValueText('{{ printf "%.1f" $value }} days', lambda bound: f"{number(bound)} days"),
        "By": ValueText("{{ $value | humanize1024 }}B", _bytes),
        "By/s": ValueText("{{ $value | humanize1024 }}B/s", lambda bound: f"{_bytes(bound)}/s"),
        "%": ValueText('{{ printf "%.1f" $value }}%', lambda bound: f"{number(bound)}%"),
        "{USD}": ValueText('{{ printf "%.2f" $value }} USD', lambda bound: f"{number(bound)} USD"),
    }
)
"""The texts by UCUM unit; other values are plain numbers."""
