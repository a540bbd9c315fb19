"""Content negotiation: the format and the coding of a page of metrics (RFC 9110, section 12.5).

A malformed header is not refused: the page is then plain text, and not compressed.
"""

from __future__ import annotations

from typing import Final

from otel_meta.media_ranges import NAMED, best_match, parse_ranges

from .text_format import OPENMETRICS, OPENMETRICS2, TEXT, TextFormat

_LEAST_SPECIFICITY: Final = {OPENMETRICS2: NAMED + 1, OPENMETRICS: 1, TEXT: 1}
"""The least specific range that means a format, the preferred format first.

A client that does not name version 2.0 may be unable to read this version.
"""


def negotiate_format(accept: str) -> TextFormat:
    """Return the format preferred by an Accept header.

    Of formats with equal weight, the latest that is named wins; a wildcard means plain text.
    """
    ranges = list(parse_ranges(accept))
    weights: dict[TextFormat, tuple[float, bool]] = {}
    for text_format, least in _LEAST_SPECIFICITY.items():
        match = best_match(text_format.media_type, ranges, text_format.version)
        if match.weight > 0 and match.specificity >= least:
            is_meant = text_format is TEXT or match.specificity >= NAMED
            weights[text_format] = (match.weight, is_meant)
    return max(weights, key=weights.__getitem__, default=TEXT)


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an Accept-Encoding header allows gzip and does not prefer identity."""
    weights = {coding: weight for coding, _, weight in parse_ranges(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
