"""Content negotiation: the format and the coding of a page of metrics (RFC 9110, section 12.5).

A malformed header is not refused: the page is then plain text, and not compressed.
"""

from __future__ import annotations

from otel_meta.media_ranges import NAMED, best_match, parse_ranges

from .text_format import OPENMETRICS, TEXT, TextFormat


def negotiate_format(accept: str) -> TextFormat:
    """Return the format preferred by an Accept header.

    If both formats have equal weight, OpenMetrics wins if named; a wildcard means plain text.
    """
    ranges = list(parse_ranges(accept))
    openmetrics, text = (
        best_match(candidate.media_type, ranges, candidate.version)
        for candidate in (OPENMETRICS, TEXT)
    )
    if openmetrics.weight > text.weight:
        return OPENMETRICS
    equal = openmetrics.weight == text.weight > 0
    return OPENMETRICS if equal and openmetrics.specificity >= NAMED else TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an Accept-Encoding header allows gzip and does not prefer identity."""
    weights = {coding: weight for coding, _, weight in parse_ranges(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
