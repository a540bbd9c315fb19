"""Which format and coding an answer has, from the headers of a request (RFC 9110, section 12.5).

A header that makes no sense is no reason to withhold metrics: the plain text format is the answer
to whatever cannot be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .formats import OPENMETRICS, TEXT, Format

_WEIGHT: Final = re.compile(r"0(\.\d*)?|1(\.0*)?")


class _Range(NamedTuple):
    """One element of an Accept header."""

    media_type: str
    version: str
    weight: float


class _Fit(NamedTuple):
    """How well a format meets a header: the most specific range that covers it decides."""

    specific: int
    weight: float


_NONE: Final = _Fit(0, 0.0)
_BY_NAME: Final = 3
"""From here on, a range names the format; below, it is a wildcard."""


def format_for(accept: str) -> Format:
    """The format that an Accept header prefers; OpenMetrics where it is asked for by name."""
    ranges = list(_ranges(accept))
    openmetrics, text = (_fit(candidate, ranges) for candidate in (OPENMETRICS, TEXT))
    if openmetrics.weight > text.weight:
        return OPENMETRICS
    equal = openmetrics.weight == text.weight > 0
    return OPENMETRICS if equal and openmetrics.specific >= _BY_NAME else TEXT


def gzip_accepted(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header takes gzip, and likes it no less than plain bytes."""
    weights = {coding: weight for coding, _, weight in _ranges(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _ranges(header: str) -> Iterator[_Range]:
    for element in header.split(","):
        name, *rest = element.split(";")
        pairs = (parameter.partition("=") for parameter in rest)
        given = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        weight = given.get("q", "1")
        number = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
        yield _Range(name.strip().lower(), given.get("version", ""), number)


def _fit(candidate: Format, ranges: list[_Range]) -> _Fit:
    fits = (_Fit(_covers(asked, candidate), asked.weight) for asked in ranges)
    return max((fit for fit in fits if fit.specific), default=_NONE)


def _covers(asked: _Range, candidate: Format) -> int:
    """How specifically a range covers a format; 0 where it does not."""
    kind = candidate.media_type.partition("/")[0]
    specific = {"*/*": 1, f"{kind}/*": 2, candidate.media_type: 3}.get(asked.media_type, 0)
    if not specific or not asked.version:
        return specific
    return 4 if asked.version == candidate.version else 0
