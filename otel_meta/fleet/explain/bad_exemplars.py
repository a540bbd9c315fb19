"""Exemplars of bad events: the ids of their traces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from otel_meta.fleet.answers import Exemplar
from otel_meta.model import Selector
from otel_meta.model.slo.event_terms import EventCount, Remainder
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.rules.promql_builder import series_of

from .causes import Part
from .excess_counts import ExcessCounts, matchers

TRACE_ID: Final = "trace_id"
_ID: Final = re.compile("[0-9a-f]{32}")
_MOST: Final = 12
"""Exemplars that are returned; a store lacks the newest traces, and those that are not sampled."""


def bad_exemplars(
    counts: ExcessCounts, part: Part, begin: float, end: float
) -> tuple[Exemplar, ...]:
    """Return exemplars of bad events of a part of a service, one for each trace."""
    where = (*counts.where, *matchers(part))
    found: dict[str, Exemplar] = {}
    for sli in counts.slo.sli.parts:
        query = _series(sli, counts.repo.name, where)
        for exemplar in counts.api.exemplars(query, begin, end) if query else ():
            trace_id = exemplar.labels.get(TRACE_ID, "")
            if _ID.fullmatch(trace_id) and _is_bad(sli, exemplar):
                found[trace_id] = max(exemplar, found.get(trace_id, exemplar), key=lambda e: e.at)
    return spread(found.values())


def spread(exemplars: Iterable[Exemplar]) -> tuple[Exemplar, ...]:
    """Return the latest exemplar, and others from all of the time, latest first."""
    ordered = sorted(exemplars, key=lambda exemplar: -exemplar.at)
    return tuple(ordered[:: max(len(ordered) // _MOST, 1)][:_MOST])


def _series(part: SimpleSli, namespace: str, where: tuple[str, ...]) -> str:
    """Return the selector of the series whose exemplars may be bad; empty if there are none."""
    match part.bad_events:
        case Remainder(good=EventCount(has_bounds=False) as good):
            total = part.total_events.selector
            # Exemplars of good events in a metric of their own cannot be told from the others.
            selected = total if good.selector.instrument == total.instrument else None
        case EventCount() | Remainder() as bad:
            selected = bad.selector
        case _:
            selected = None
    if selected is None:
        return ""
    suffix = "_bucket" if selected.instrument.traits.has_buckets else ""
    return series_of(selected, namespace, suffix, *where)


def _is_bad(part: SimpleSli, exemplar: Exemplar) -> bool:
    """Return True if the value of an exemplar, or the labels of its series, are bad."""
    bad = part.bad_events
    if part.bad_values:
        return any(value.holds(exemplar.value) for value in part.bad_values)
    return not (isinstance(bad, Remainder) and _has(bad.selector, exemplar))


def _has(selected: Selector, exemplar: Exemplar) -> bool:
    return all(
        matcher.matches(exemplar.series.get(matcher.label, "")) for matcher in selected.matchers
    )
