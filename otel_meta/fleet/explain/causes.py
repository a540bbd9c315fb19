"""The causes of a burning error budget: label values, and pairs of them, with excess bad events.

Excess and share are those of `otel_meta.render.rules.excess`, which the alerts use. Here the
counts of every combination of label values are known. So causes are ordered by their evidence: how
much likelier the counts are if a part fails at a ratio of its own than if everything fails alike
(the likelihood ratio of two binomial distributions against one). The order by excess alone is as
good for single values, and misses a fifth of the pairs (``python benchmarks/explain``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import log
from typing import Final

from otel_meta.status.events import NO_EVENTS, Events

Part = tuple[tuple[str, str], ...]
"""A part of a service: one or two labels with their values."""

_LEAST_SHARE: Final = 0.1
"""The share of bad events that a cause explains, at least."""
_LEAST_EVIDENCE: Final = 7.0
"""The evidence of a cause, at least: one in a hundred values has so much by chance."""
_SURPLUS, _CLEARLY = 4.0, 1.05
"""A pair has so much more evidence than each of its values, and so many times as much."""


@dataclass(frozen=True)
class Cells:
    """Events by every combination of the values of some labels."""

    labels: tuple[str, ...]
    events: Mapping[tuple[str, ...], Events] = field(default_factory=dict[tuple[str, ...], Events])

    @property
    def whole(self) -> Events:
        """All events."""
        return _sum(self.events.values())

    @property
    def varying(self) -> tuple[str, ...]:
        """The labels with several values; others explain nothing."""
        columns = zip(*self.events, strict=True)
        named = zip(self.labels, columns, strict=False)
        return tuple(label for label, values in named if len(set(values)) > 1)

    def of_all_bad(self, labels: Iterable[str]) -> Part:
        """Return the values of some of the labels that all bad events have."""
        bad = [values for values, events in self.events.items() if events.bad > 0]
        columns = {label: {values[self.labels.index(label)] for values in bad} for label in labels}
        return tuple(
            (label, value)
            for label, values in columns.items()
            if len(values) == 1
            for value in values
            if value
        )

    def by(self, labels: tuple[str, ...]) -> dict[Part, Events]:
        """Return the events by the values of some of the labels."""
        at = [self.labels.index(label) for label in labels]
        found: defaultdict[Part, list[Events]] = defaultdict(list)
        for values, events in self.events.items():
            found[tuple((self.labels[each], values[each]) for each in at)].append(events)
        return {part: _sum(events) for part, events in found.items()}


@dataclass(frozen=True)
class Cause:
    """A part of a service with excess bad events."""

    part: Part
    events: Events
    excess: float
    """Bad events beyond those that the part would have at the ratio of the whole service."""
    share: float
    """The share of the bad events that the part explains."""
    evidence: float
    """Twice the logarithm of the likelihood ratio."""

    @property
    def ratio(self) -> float:
        """The share of bad events of the part itself."""
        return self.events.bad / self.events.total

    @property
    def is_likely(self) -> bool:
        """True if the part explains enough bad events, and is no chance."""
        return self.share >= _LEAST_SHARE and self.evidence >= _LEAST_EVIDENCE


def causes(cells: Cells, before: Cells | None = None) -> tuple[Cause, ...]:
    """Return the causes of bad events, those with the most evidence first.

    A pair of values is a cause only if it has clearly more evidence than each of them: of all that
    explains the same bad events, the simplest is the cause. Parts with the same events are the same
    part, of which the label that comes first is named.

    Args:
        cells: the events of the incident.
        before: the events of a time without the incident. What fails as much as before is no cause.
    """
    usual = before or Cells(cells.labels)
    singles = list(_parts(cells, usual, 1))
    alone = {cause.part[0]: cause.evidence for cause in singles}
    pairs = (
        cause
        for cause in _parts(cells, usual, 2)
        for most in (max(alone.get(value, 0.0) for value in cause.part),)
        if cause.evidence > most * _CLEARLY + _SURPLUS
    )
    found = (cause for cause in (*singles, *pairs) if cause.is_likely)
    return _distinct(sorted(found, key=lambda cause: -cause.evidence))


def _parts(cells: Cells, before: Cells, width: int) -> Iterator[Cause]:
    """Yield the parts with excess bad events."""
    for labels in combinations(cells.varying, width):
        usual = before.by(labels)
        parts = cells.by(labels)
        new = {
            part: Events(_new_bad(events, usual.get(part, NO_EVENTS)), events.total)
            for part, events in parts.items()
            if events.total > 0
        }
        whole = _sum(new.values())
        for part, events in new.items():
            excess = events.bad - whole.bad / max(whole.total, events.total) * events.total
            if excess > 0:
                share = excess / (excess + max(whole.bad - events.bad, 0.0))
                evidence = _evidence(events, whole)
                yield Cause(part, parts[part], excess, share, evidence)


def _new_bad(events: Events, usual: Events) -> float:
    """Return the bad events beyond those at the ratio of the time before."""
    expected = events.total * usual.bad / usual.total if usual.total > 0 else 0.0
    return max(events.bad - expected, 0.0)


def _evidence(part: Events, whole: Events) -> float:
    rest = Events(whole.bad - part.bad, whole.total - part.total)
    apart = _likelihood(part) + _likelihood(rest)
    return 2 * (apart - _likelihood(whole))


def _likelihood(events: Events) -> float:
    """Return the logarithm of the likelihood of counts at their own ratio of bad events."""
    counts = (events.bad, events.total - events.bad)
    return sum(
        count * (log(count) - log(events.total)) for count in counts if min(count, events.total) > 0
    )


def _distinct(found: Iterable[Cause]) -> tuple[Cause, ...]:
    """Leave out a part with the same events as a part before it."""
    return tuple({cause.events: cause for cause in reversed(list(found))}.values())[::-1]


def _sum(events: Iterable[Events]) -> Events:
    bad = total = 0.0
    for each in events:
        bad += each.bad
        total += each.total
    return Events(bad, total)
