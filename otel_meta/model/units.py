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

_SUGGESTIONS: Final[Mapping[str, str]] = MappingProxyType(
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
    """Return the suffix of a unit in Prometheus, "" for none; None for an unsupported unit."""
    return "" if _ANNOTATION.fullmatch(unit) else SUFFIXES.get(unit)


def suggestion_for(unit: str) -> str:
    """Return the advice for an unsupported unit."""
    codes = ", ".join(code for code in SUFFIXES if code)
    return _SUGGESTIONS.get(unit, f'one of {codes}, or an annotation such as "{{request}}"')
