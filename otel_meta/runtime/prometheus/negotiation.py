"""Content negotiation: the format and the coding of a page of metrics (RFC 9110, section 12.5).

A malformed header is not refused: the page is then plain text, and not compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from otel_meta.media_ranges import NAMED, best_match, parse_ranges

from .codings import INSTALLED, Coding
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


def negotiate_coding(
    accept_encoding: str, installed: Sequence[Coding] = INSTALLED
) -> Coding | None:
    """Return the coding preferred by an Accept-Encoding header; None for a page as it is.

    Of codings with equal weight, the first that is installed wins. A wildcard means gzip, since few
    clients read zstd.
    """
    weights = {coding: weight for coding, _, weight in parse_ranges(accept_encoding)}
    weights.setdefault("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    best = max(installed, key=lambda coding: weights.get(coding, 0.0))
    weight = weights.get(best, 0.0)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None
