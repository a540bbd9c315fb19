"""Grafana's identifiers of units, from the UCUM units of instruments."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from otel_meta.model import Instrument
from otel_meta.model.measure import Increase, Measure, OverTime, Rate, RelativeChange, Share
from otel_meta.render.rules.promql_builder import number

RATIO: Final = "percentunit"
NUMBER: Final = "short"

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s": "s",
        "d": "d",
        "By": "bytes",
        "%": "percent",
        "m": "lengthm",
        "V": "volt",
        "A": "amp",
        "J": "joule",
        "W": "watt",
        "g": "massg",
        "Cel": "celsius",
        "Hz": "hertz",
        "By/s": "Bps",
        "{USD}": "currencyUSD",
        "{ratio}": RATIO,
        "{score}": RATIO,
        "{confidence}": RATIO,
        "{importance}": RATIO,
    }
)
_RATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s": RATIO,  # seconds per second
        "By": "binBps",
        "{USD}": "currencyUSD",
        "{request}": "reqps",
        "{event}": "eps",
        "{record}": "recps",
    }
)
_STATE: Final = "{bool}"
"""The unit of a gauge that is 1 or 0; its average over time is a share of time."""
_COUNTS_PER_SECOND: Final = "cps"


_FINER: Final = 2
"""Decimals of a value beyond those of its bound, so that a miss is seen."""


def decimals_of_share(bound: Fraction | float) -> int:
    """Return the decimals of a percentage that is compared with a share: 3 for 0.999."""
    percent = number(100 * Fraction(str(bound)))
    return len(percent.partition(".")[2]) + _FINER


def unit_of(instrument: Instrument[...]) -> str:
    """Return the unit of an instrument's values."""
    if not instrument.unit and instrument.name.endswith("ratio"):
        return RATIO
    return _UNITS.get(instrument.unit, NUMBER)


def rate_unit_of(instrument: Instrument[...]) -> str:
    """Return the unit of a counter's rate, or of a histogram's observations per second."""
    if instrument.traits.has_buckets:
        return _COUNTS_PER_SECOND
    return _RATES.get(instrument.unit, _COUNTS_PER_SECOND)


def measured_unit(measure: Measure) -> str:
    """Return the unit of a declared measure."""
    instrument = next(iter(measure.selectors())).instrument
    match measure:
        case Share() | RelativeChange():
            return RATIO
        case OverTime(function="avg") if instrument.unit == _STATE:
            return RATIO
        case Rate():
            return rate_unit_of(instrument)
        case Increase() if instrument.traits.has_buckets:
            return NUMBER
        case _:
            return unit_of(instrument)
