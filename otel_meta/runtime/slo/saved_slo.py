"""An SLO's history as a file holds it, and the text by which its indicator is known again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from otel_meta.model import Selector, Sli
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.status.events import Events

from .history import History

Key = tuple[str, str]
"""The names of a meta-repository and of one of its SLOs."""


@dataclass
class SavedSlo:
    """The history of an SLO, which another process has counted.

    Args:
        key: names of meta-repository and SLO.
        sli: the text of the indicator.
        history: the counts.
        mark: the events of the series at the last count, as `EventCounter` has them.
        origins: names of the directories whose series were counted; empty if no other process can
            read the series.
    """

    key: Key
    sli: str
    history: History
    mark: Events
    origins: Collection[str]


def sli_key(sli: Sli) -> str:
    """Return a text that two declarations have in common if they count the same events."""
    return " + ".join(f"{_term(p.bad_events)} of {_term(p.total_events)}" for p in sli.parts)


def _term(term: EventCount | Remainder | TimeSlices) -> str:
    match term:
        case Remainder(good):
            return f"all but {_term(good)}"
        case TimeSlices(selector=selector, series=series):
            return " ".join((f"{series} second of", *_series(selector), *_bounds(term)))
        case EventCount(selector=selector):
            return " ".join((*_series(selector), *_bounds(term)))


def _series(selector: Selector) -> Iterator[str]:
    yield selector.instrument.name
    for matcher in selector.matchers:
        values = matcher.values
        yield f"{matcher.label}={'|'.join(values) if isinstance(values, tuple) else '*'}"


def _bounds(term: EventCount | TimeSlices) -> Iterator[str]:
    yield from (f"{each.operator} {each.bound!r}" for each in term.comparisons())
