"""UCUM units with the same Prometheus suffix on every export path.

The Python exporter and the Go translator of Prometheus and the Collector agree on these units.
Other units are refused: a gauge in ``1``, for example, gains ``_ratio`` in Go only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "",
        "s": "seconds",
        "d": "days",
        "By": "bytes",
        "%": "percent",
        "m": "meters",
        "V": "volts",
        "A": "amperes",
        "J": "joules",
        "W": "watts",
        "g": "grams",
        "Cel": "celsius",
        "Hz": "hertz",
        "By/s": "bytes_per_second",
    }
)
"""UCUM code -> suffix of the name in Prometheus."""

_ANNOTATION: Final = re.compile(r"\{[A-Za-z][A-Za-z0-9_ ]*\}")

_RATIO: Final = 'an annotation such as "{ratio}", or a name that ends in "ratio" with no unit'

_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s": "second sec ms millisecond msec us µs microsecond ns nanosecond min minute h hr hour",
        "d": "day",
        "By": "b byte kb mb gb kib mib gib kby mby gby kiby miby giby kilobyte megabyte gigabyte",
        "%": "percent percentage pct",
        "m": "meter metre km cm mm",
        "V": "volt",
        "A": "ampere amp",
        "J": "joule",
        "W": "watt kw",
        "g": "gram kg kilogram",
        "Cel": "c celsius degc °c",
        "Hz": "hertz khz mhz",
        "By/s": "b/s bps byte/s bytes/s bytes_per_second",
    }
)
"""UCUM code -> other spellings and multiples; Prometheus uses base units."""


def suffix_of(unit: str) -> str | None:
    """Return the suffix of a unit in Prometheus, "" for none; None for an unsupported unit."""
    return "" if _ANNOTATION.fullmatch(unit) else SUFFIXES.get(unit)


def suggestion_for(unit: str) -> str:
    """Return the advice for an unsupported unit."""
    if unit == "1":
        return _RATIO
    word = unit.strip().lower()
    for code, spellings in _SPELLINGS.items():
        if (
            word in {code.lower(), *spellings.split()}
            or word.removesuffix("s") in spellings.split()
        ):
            return f'"{code}": Prometheus uses base units, in UCUM codes'
    codes = ", ".join(code for code in SUFFIXES if code)
    annotation = f"{{{unit}}}" if _ANNOTATION.fullmatch(f"{{{unit}}}") else "{request}"
    return f'one of {codes}, or an annotation such as "{annotation}"'
