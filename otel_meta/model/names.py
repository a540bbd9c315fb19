"""What a metric is called: the OpenTelemetry name, and the Prometheus name that follows from it.

The lint refuses whatever the Python exporter, the Collector and Prometheus' OTLP receiver
translate differently, so that the name is equal on every path by construction.
"""

from __future__ import annotations

import re
from typing import Final

from otel_meta.errors import DeclarationError

from .units import better_than, suffix_of

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[._][a-z0-9]+)*")
_OTHERS: Final = re.compile(r"up|target_info|scrape_.*")
_MAX_NAME: Final = 255
_MAX_UNIT: Final = 63


def check_name(name: str, unit: str) -> None:
    """Refuse a metric name or unit that would not be the same on every export path.

    Raises:
        DeclarationError: with the cure in the message.
    """
    where = f"metric {name!r}"
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise DeclarationError(
            where,
            "is not a name that every export path keeps",
            "use lower-case words joined by single dots or underscores, first a letter, "
            f"{_MAX_NAME} characters at most",
        )
    suffix = suffix_of(unit) if len(unit) <= _MAX_UNIT else None
    if suffix is None:
        raise DeclarationError(
            where,
            f"has the unit {unit!r}, which exporters name differently",
            f"use {better_than(unit)}",
        )
    _check_words(where, _words(name), suffix)
    if _OTHERS.fullmatch(prometheus_name(name, unit, monotonic=False)):
        raise DeclarationError(
            where,
            "is what Prometheus or an exporter calls a series of its own",
            "choose another name",
        )


def prometheus_name(name: str, unit: str, *, monotonic: bool) -> str:
    """The metric family's name in Prometheus: unit appended once, ``_total`` on counters."""
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
            where, 'holds the word "total", which exporters move', "leave it out: counters gain it"
        )
    unit_words = suffix.split("_") if suffix else []
    # A unit of several words is one token to Go and three to Python: nowhere, not even last.
    before = words[:-1] if len(unit_words) == 1 else words
    if unit_words and words == unit_words[-len(words) :]:
        raise DeclarationError(where, "is nothing but its unit", "say what is measured")
    if set(unit_words) & set(before):
        raise DeclarationError(
            where,
            f"holds the unit's word ({suffix}) before its end, where exporters differ",
            "leave it out: the exported name gains it",
        )
