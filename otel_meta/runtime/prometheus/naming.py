"""What metrics and labels of other libraries are called in Prometheus.

The names that Prometheus' OTLP receiver and the Collector give them by default
(UnderscoreEscapingWithSuffixes, https://github.com/prometheus/otlptranslator), so that a metric
has one name on every path. For metrics of a catalogue they are those of `otel_meta.model.names`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_meta.model.kind_traits import KIND_TRAITS, Kind

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "d": "days",
        "h": "hours",
        "min": "minutes",
        "s": "seconds",
        "ms": "milliseconds",
        "us": "microseconds",
        "ns": "nanoseconds",
        "By": "bytes",
        "KiBy": "kibibytes",
        "MiBy": "mebibytes",
        "GiBy": "gibibytes",
        "TiBy": "tibibytes",
        "KBy": "kilobytes",
        "MBy": "megabytes",
        "GBy": "gigabytes",
        "TBy": "terabytes",
        "m": "meters",
        "V": "volts",
        "A": "amperes",
        "J": "joules",
        "W": "watts",
        "g": "grams",
        "Cel": "celsius",
        "Hz": "hertz",
        "1": "",
        "%": "percent",
    }
)
"""UCUM code -> word, as every path translates it, whether a catalogue may use it or not."""

_PER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s": "second",
        "m": "minute",
        "h": "hour",
        "d": "day",
        "w": "week",
        "mo": "month",
        "y": "year",
    }
)
"""The same behind a stroke."""

_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_IN_LABELS: Final = re.compile(r"[^a-zA-Z0-9]+")
_SPACE: Final = "\t\n\v\f\r "
"""What Go trims of ASCII; Python trims more."""
_KEPT: Final = 4096
"""Names that are remembered: what a process has, and no more if keys are made up without end."""


class Named(NamedTuple):
    """A metric family's name in OpenMetrics, without ``_total``, and the unit that it ends in."""

    family: str
    unit: str


@lru_cache(_KEPT)
def family_name(name: str, unit: str, kind: Kind) -> Named:
    """The family of an OpenTelemetry metric; a counter's samples add ``_total`` to it."""
    main, per = _unit_words(unit)
    words = [word for word in _NOT_IN_NAMES.split(name) if word]
    suffixes = [word for word in (main, per) if word and word not in words]
    if len(suffixes) > 1 or suffixes == [per]:
        suffixes[0] = suffixes[0].rstrip("_")
    words += suffixes
    if KIND_TRAITS[kind].monotonic:
        words = [word for word in words if word != "total"] or ["total"]
    if KIND_TRAITS[kind].point == "gauge" and unit == "1":
        words = [word for word in words if word != "ratio"] + ["ratio"]
    family = "_".join(words) or "_"
    family = f"_{family}" if family[0].isdigit() else family
    shown = "_".join(word.rstrip("_") for word in (main, per) if word)
    return Named(family, shown if family.endswith(f"_{shown}") else "")


@lru_cache(_KEPT)
def label_name(key: str) -> str:
    """The label of an attribute: ``http.route`` is ``http_route``, and ``1st`` is ``key_1st``.

    Keys that Prometheus' receiver keeps for itself or refuses (``__x__``, or nothing but other
    characters) have a label too, of single underscores: a scrape would lose or fail on theirs.
    """
    name = _NOT_IN_LABELS.sub("_", key) or "_"
    return f"key_{name}" if name[0].isdigit() else name


def _unit_words(unit: str) -> tuple[str, str]:
    main, _, per = unit.partition("/")
    over = _cleaned(_PER, per)
    return _cleaned(_UNITS, main), f"per_{over.rstrip('_')}" if over else ""


def _cleaned(words: Mapping[str, str], code: str) -> str:
    code = code.strip(_SPACE)
    if "{" in code or "}" in code:
        return ""
    return _NOT_IN_NAMES.sub("_", words.get(code, code)).removeprefix("_")
