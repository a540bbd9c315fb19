"""Content negotiation: the format and the coding of a page (RFC 9110, section 12.5).

A malformed header is not refused: the page is then plain text, and not compressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .text_format import OPENMETRICS, TEXT, TextFormat

_WEIGHT: Final = re.compile(r"0(\.\d*)?|1(\.0*)?")


class _MediaRange(NamedTuple):
    """An element of an Accept header."""

    media_type: str
    version: str
    weight: float


class _Match(NamedTuple):
    """The specificity and the weight of the range closest to a format."""

    specificity: int
    weight: float


_NO_MATCH: Final = _Match(0, 0.0)
_MEDIA_TYPE: Final = 3
"""The specificity of a range with a full media type. Wildcards have a lower one."""


def negotiate_format(accept: str) -> TextFormat:
    """Return the format preferred by an Accept header.

    If both formats have equal weight, OpenMetrics wins if named; a wildcard means plain text.
    """
    ranges = list(_parse(accept))
    openmetrics, text = (_best_match(candidate, ranges) for candidate in (OPENMETRICS, TEXT))
    if openmetrics.weight > text.weight:
        return OPENMETRICS
    equal = openmetrics.weight == text.weight > 0
    return OPENMETRICS if equal and openmetrics.specificity >= _MEDIA_TYPE else TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an Accept-Encoding header allows gzip and does not prefer identity."""
    weights = {coding: weight for coding, _, weight in _parse(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _parse(header: str) -> Iterator[_MediaRange]:
    for element in header.split(","):
        name, *rest = element.split(";")
        pairs = (parameter.partition("=") for parameter in rest)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        quality = parameters.get("q", "1")
        weight = float(quality) if _WEIGHT.fullmatch(quality) else 0.0
        yield _MediaRange(name.strip().lower(), parameters.get("version", ""), weight)


def _best_match(candidate: TextFormat, ranges: list[_MediaRange]) -> _Match:
    matches = (_Match(_specificity(each, candidate), each.weight) for each in ranges)
    return max((match for match in matches if match.specificity), default=_NO_MATCH)


def _specificity(media_range: _MediaRange, candidate: TextFormat) -> int:
    """Rate a match from 1 (``*/*``) to 4 (with the version); 0 for no match."""
    wildcard = f"{candidate.media_type.partition('/')[0]}/*"
    ratings = {"*/*": 1, wildcard: 2, candidate.media_type: _MEDIA_TYPE}
    rating = ratings.get(media_range.media_type, 0)
    if not rating or not media_range.version:
        return rating
    return _MEDIA_TYPE + 1 if media_range.version == candidate.version else 0
