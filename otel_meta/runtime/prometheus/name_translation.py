"""Translation of OpenTelemetry metric and attribute names to Prometheus names.

A library's metric has the same name, scraped or pushed, because the rules are equal to the default
of Prometheus' OTLP receiver and of the Collector: the strategy UnderscoreEscapingWithSuffixes of
https://github.com/prometheus/otlptranslator. Names of declared metrics come from
`otel_meta.model.names` instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_meta.model.kind_traits import KIND_TRAITS, Kind
from otel_meta.model.units import SUFFIXES

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **SUFFIXES,
        "h": "hours",
        "min": "minutes",
        "ms": "milliseconds",
        "us": "microseconds",
        "ns": "nanoseconds",
        "KiBy": "kibibytes",
        "MiBy": "mebibytes",
        "GiBy": "gibibytes",
        "TiBy": "tibibytes",
        "KBy": "kilobytes",
        "MBy": "megabytes",
        "GBy": "gigabytes",
        "TBy": "terabytes",
        "1": "",
    }
)
"""UCUM code -> suffix: the units of declared metrics, and units refused in declarations."""

_PER_UNITS: Final[Mapping[str, str]] = MappingProxyType(
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
"""UCUM code -> word, for the denominator of a unit such as ``By/s``."""

_INVALID_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9:]+")
_INVALID_IN_LABELS: Final = re.compile(r"[^a-zA-Z0-9]+")
_GO_SPACE: Final = "\t\n\v\f\r "
"""ASCII characters removed by Go's ``strings.TrimSpace``; Python's ``strip`` removes more."""
_CACHE_SIZE: Final = 4096
"""Names in a cache. Without a limit, endlessly varying attribute keys would leak memory."""


class TranslatedName(NamedTuple):
    """The OpenMetrics name of a metric family, without ``_total``, and the unit in words."""

    family: str
    unit: str


@lru_cache(_CACHE_SIZE)
def translate_name(name: str, unit: str, kind: Kind) -> TranslatedName:
    """Return the family name of an OpenTelemetry metric.

    https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1

    Args:
        name: the name of the instrument.
        unit: the unit in UCUM; "" for none.
        kind: the kind of the instrument.
    """
    unit_words = _unit_words(unit)
    words = _with_unit([word for word in _INVALID_IN_NAMES.split(name) if word], *unit_words)
    if KIND_TRAITS[kind].monotonic:
        words = [word for word in words if word != "total"] or ["total"]
    if KIND_TRAITS[kind].point == "gauge" and unit == "1":
        words = [word for word in words if word != "ratio"] + ["ratio"]
    family = "_".join(words) or "_"
    family = f"_{family}" if family[0].isdigit() else family
    suffix = "_".join(word.rstrip("_") for word in unit_words if word)
    return TranslatedName(family, suffix if family.endswith(f"_{suffix}") else "")


@lru_cache(_CACHE_SIZE)
def label_name(key: str) -> str:
    """Return the label name of an attribute key: ``http.route`` is ``http_route``.

    A leading digit is escaped: ``1st`` is ``key_1st``. Keys that Prometheus' OTLP receiver
    reserves or refuses (``__x__``, or no letter and no digit) get single underscores, because a
    scrape would drop or reject the receiver's names.
    """
    name = _INVALID_IN_LABELS.sub("_", key) or "_"
    return f"key_{name}" if name[0].isdigit() else name


def _with_unit(words: list[str], main: str, per: str) -> list[str]:
    """Append the words of the unit, except words already in the name."""
    suffixes = [word for word in (main, per) if word and word not in words]
    if len(suffixes) > 1 or suffixes == [per]:
        suffixes[0] = suffixes[0].rstrip("_")
    return words + suffixes


def _unit_words(unit: str) -> tuple[str, str]:
    """Return the words of numerator and denominator; "" for a part without a word."""
    main, _, per = unit.partition("/")
    denominator = _unit_word(_PER_UNITS, per)
    return _unit_word(_UNITS, main), f"per_{denominator.rstrip('_')}" if denominator else ""


def _unit_word(words: Mapping[str, str], code: str) -> str:
    """Translate one UCUM code; "" for an annotation in braces."""
    code = code.strip(_GO_SPACE)
    if "{" in code or "}" in code:
        return ""
    return _INVALID_IN_NAMES.sub("_", words.get(code, code)).removeprefix("_")
