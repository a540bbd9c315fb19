"""Names of metrics: the OpenTelemetry name, and the Prometheus name derived from it.

The Python exporter, the Collector and Prometheus' OTLP receiver translate some names differently.
Such names are refused, so a metric has the same name in Prometheus on every export path.
"""

from __future__ import annotations

import re
from typing import Final

from otel_meta.errors import DeclarationError

from .arguments import expect_type, full_match
from .units import suffix_of, suggestion_for

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[._][a-z0-9]+)*")
_EXPORTER_SERIES: Final = re.compile(r"up|target_info|scrape_.*")
_MAX_NAME_LENGTH: Final = 255
_MAX_UNIT_LENGTH: Final = 63
_WORDS_OF_A_NAME: Final = 4
"""With more words, the text is a sentence, for which no name is suggested."""


def check_name(name: str, unit: str) -> None:
    """Refuse a metric name or unit that differs between export paths.

    Raises:
        DeclarationError: the name or unit would differ, or Prometheus uses the name itself.
    """
    where = f"metric {name!r}"
    expect_type(where, "unit", unit, str, 'give a UCUM code in quotes, such as "s" or "{order}"')
    if not full_match(_NAME, name) or len(name) > _MAX_NAME_LENGTH:
        raise DeclarationError(
            where,
            "is not the same on every export path",
            "use lower-case words joined by single dots or underscores, first a letter, "
            f"{_MAX_NAME_LENGTH} characters at most{_suggested_name(name)}",
        )
    suffix = suffix_of(unit) if len(unit) <= _MAX_UNIT_LENGTH else None
    if suffix is None:
        raise DeclarationError(
            where,
            f"has the unit {unit!r}, which exporters name differently",
            f"use {suggestion_for(unit)}",
        )
    _check_words(where, _words(name), suffix)
    if _EXPORTER_SERIES.fullmatch(prometheus_name(name, unit, monotonic=False)):
        raise DeclarationError(
            where,
            "is the name of a series that Prometheus or an exporter adds",
            "choose another name",
        )


def _suggested_name(name: object) -> str:
    """Return "; did you mean ...?" with the nearest valid name; empty for a sentence."""
    if not isinstance(name, str) or len(name.split()) > _WORDS_OF_A_NAME:
        return ""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    suggested = re.sub(r"([._])[._]+", r"\1", re.sub(r"[^a-z0-9.]+", "_", snake)).strip("._")
    return f"; did you mean {suggested!r}?" if _NAME.fullmatch(suggested) else ""


def prometheus_name(name: str, unit: str, *, monotonic: bool) -> str:
    """Return the name of the metric family in Prometheus.

    The unit is appended unless the name ends in it; counters end in ``_total``.
    """
    words = "_".join(_words(name))
    suffix = suffix_of(unit)
    if suffix and not f"_{words}".endswith(f"_{suffix}"):
        words = f"{words}_{suffix}"
    return f"{words}_total" if monotonic else words


def _words(name: str) -> list[str]:
    return re.split(r"[._]", name)


def _check_words(where: str, words: list[str], suffix: str) -> None:
    if "total" in words:
        raise DeclarationError(
            where,
            'contains the word "total", which exporters move',
            "leave the word out: the exported name of a counter ends in _total",
        )
    unit_words = suffix.split("_") if suffix else []
    # Go's translator treats a unit of several words as one token, Python's as several: such words
    # are refused everywhere, even at the end of the name.
    before = words[:-1] if len(unit_words) == 1 else words
    if unit_words and words == unit_words[-len(words) :]:
        raise DeclarationError(
            where, "consists of its unit alone", "name the thing that is measured"
        )
    if set(unit_words) & set(before):
        raise DeclarationError(
            where,
            f"contains the word of its unit ({suffix}) before the end, where exporters differ",
            "leave the word out: exporters append the unit to the name",
        )
