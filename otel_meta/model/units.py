"""UCUM units that every export path turns into the same Prometheus suffix.

The Python exporter and the Go translator of Prometheus and the Collector agree on these, and
disagree on others (a gauge in ``1`` gains ``_ratio`` in Go alone), so others are refused.
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
"""UCUM code -> the word that Prometheus names end in."""

_ANNOTATION: Final = re.compile(r"\{[A-Za-z][A-Za-z0-9_ ]*\}")

_BETTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1": 'an annotation such as "{ratio}", or a name that ends in "ratio" with no unit',
        "ms": '"s": Prometheus uses base units',
        "us": '"s": Prometheus uses base units',
        "ns": '"s": Prometheus uses base units',
        "min": '"s": Prometheus uses base units',
        "h": '"s": Prometheus uses base units',
        "seconds": '"s", the UCUM code',
        "bytes": '"By", the UCUM code',
        "B": '"By", the UCUM code for bytes',
        "percent": '"%", the UCUM code',
    }
)


def suffix_of(unit: str) -> str | None:
    """The word that a unit adds to a Prometheus name ("" for none); None if it is not supported."""
    return "" if _ANNOTATION.fullmatch(unit) else SUFFIXES.get(unit)


def better_than(unit: str) -> str:
    """What to write instead of an unsupported unit."""
    codes = ", ".join(code for code in SUFFIXES if code)
    return _BETTER.get(unit, f'one of {codes}, or an annotation such as "{{request}}"')
