"""Corrections of one SLO without overlap: every moment is excluded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from .correction import Correction

Service = Mapping[str, str]


class CorrectedSpan(NamedTuple):
    """A time whose events of an SLO are excluded, for some services."""

    begin: datetime
    end: datetime
    services: tuple[Service, ...]
    """Labels of the services; a service that has all labels of one mapping is excluded."""


def corrected_spans(corrections: Iterable[Correction], slo: str) -> tuple[CorrectedSpan, ...]:
    """Return the corrections of an SLO as spans that do not overlap, in the order of time.

    Args:
        corrections: rows in any order, which may overlap.
        slo: the name of the SLO.
    """
    mine = [each for each in corrections if each.is_about(slo)]
    spans: list[CorrectedSpan] = []
    for span in _pieces(mine):
        last = spans[-1] if spans else None
        if last and (last.end, last.services) == (span.begin, span.services):
            spans[-1] = last._replace(end=span.end)
        else:
            spans.append(span)
    return tuple(spans)


def _pieces(corrections: list[Correction]) -> Iterator[CorrectedSpan]:
    """Yield the time between every two edges in which at least one correction applies."""
    edges = sorted({edge for each in corrections for edge in (each.begin, each.end)})
    for begin, end in pairwise(edges):
        services = [each.service for each in corrections if each.begin <= begin < each.end]
        if services:
            yield CorrectedSpan(begin, end, _widest(services))


def _widest(services: list[Service]) -> tuple[Service, ...]:
    """Return the labels without repetition, and without services that wider labels include."""
    distinct = {frozenset(each.items()) for each in services}
    widest = [each for each in distinct if not any(other < each for other in distinct)]
    return tuple(dict(items) for items in sorted(map(sorted, widest)))
