"""Media ranges of an Accept header (RFC 9110, section 12.5).

A malformed header is not refused: its malformed parts have no weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_WEIGHT: Final = re.compile(r"0(\.\d*)?|1(\.0*)?")


class MediaRange(NamedTuple):
    """An element of an Accept header, or of a header of the same form."""

    media_type: str
    version: str
    weight: float


class Match(NamedTuple):
    """The specificity and the weight of the range closest to a media type."""

    specificity: int
    weight: float


NO_MATCH: Final = Match(0, 0.0)
NAMED: Final = 3
"""The specificity of a range with a full media type. Wildcards have a lower one."""


def parse_ranges(header: str) -> Iterator[MediaRange]:
    """Yield the elements of a header."""
    for part in header.split(","):
        name, *rest = part.split(";")
        pairs = (parameter.partition("=") for parameter in rest)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        quality = parameters.get("q", "1")
        weight = float(quality) if _WEIGHT.fullmatch(quality) else 0.0
        yield MediaRange(name.strip().lower(), parameters.get("version", ""), weight)


def best_match(media_type: str, ranges: list[MediaRange], version: str = "") -> Match:
    """Return the match of the most specific range for a media type."""
    matches = (Match(_specificity(each, media_type, version), each.weight) for each in ranges)
    return max((match for match in matches if match.specificity), default=NO_MATCH)


def _specificity(media_range: MediaRange, media_type: str, version: str) -> int:
    """Rate a match from 1 (``*/*``) to 4 (with the version); 0 for no match."""
    ratings = {"*/*": 1, f"{media_type.partition('/')[0]}/*": 2, media_type: NAMED}
    rating = ratings.get(media_range.media_type, 0)
    if not rating or not media_range.version:
        return rating
    return NAMED + 1 if media_range.version == version else 0
