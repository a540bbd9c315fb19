"""The oracle: exact ratios, budgets and pages, counted from events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alert_quality.scenario import Objective, Span
from alert_quality.services import HOUR, MINUTE, Counts, Service

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A pair of windows that must both burn faster than a factor."""

    factor: float
    long: int
    short: int


PAGE_POLICY: Final = (
    Arm(factor=14.4, long=HOUR, short=5 * MINUTE),
    Arm(factor=6, long=6 * HOUR, short=30 * MINUTE),
)
"""The pages of the SRE workbook for 30 days."""
LEAST_BAD: Final = 3
"""One or two failures wake nobody."""
JOINED: Final = 30 * MINUTE
"""Pages with a shorter pause are one incident."""


@dataclass(frozen=True)
class Truth:
    """Bad and all events of a service since second 0; the index is the second."""

    bad: Counts
    total: Counts

    @classmethod
    def of(cls, service: Service, seconds: int) -> Truth:
        """Count the events of a service, with those that no process could count."""
        bad, total = (np.zeros(seconds + 1, dtype=np.int64) for _ in range(2))
        for process in service.processes:
            for events in process.events:
                first, counts = events.between(process.start, process.stop)
                total[first + 1 : first + 1 + len(counts)] += counts
                bad[first + 1 : first + 1 + len(counts)] += counts * events.is_bad
        if service.refused is not None:
            total[1:] += service.refused
            bad[1:] += service.refused
        return cls(np.cumsum(bad), np.cumsum(total))

    def events(self, start: int, stop: int) -> tuple[int, int]:
        """Return bad and all events from one second to another."""
        start = max(0, start)
        return int(self.bad[stop] - self.bad[start]), int(self.total[stop] - self.total[start])

    def ratio(self, at: int, window: int) -> float:
        """Return the share of bad events in a window before a moment; NaN without events."""
        bad, total = self.events(at - window, at)
        return bad / total if total else float("nan")

    def budget(self, at: int, objective: Objective) -> float:
        """Return the share of the error budget that is left."""
        return 1 - self.ratio(at, objective.period) / objective.budget

    def pages(self, objective: Objective, policy: Sequence[Arm] = PAGE_POLICY) -> list[Span]:
        """Return from when to when the policy pages, if it knows every event each minute."""
        minutes = np.arange(MINUTE, len(self.total) - 1, MINUTE)
        burns = np.zeros(len(minutes), dtype=np.bool_)
        for arm in policy:
            limit = arm.factor * objective.budget
            long_bad, is_long = self._burns(minutes, arm.long, limit)
            _, is_short = self._burns(minutes, arm.short, limit)
            burns |= is_long & is_short & (long_bad >= LEAST_BAD)
        return _spans(minutes, burns, len(self.total) - 1)

    def _burns(self, minutes: Counts, window: int, limit: float) -> tuple[Counts, Bools]:
        start = np.maximum(0, minutes - window)
        bad = self.bad[minutes] - self.bad[start]
        total = self.total[minutes] - self.total[start]
        return bad, bad > limit * total


def incidents(pages: Sequence[Span]) -> list[Span]:
    """Join pages with short pauses between them."""
    joined: list[Span] = []
    for start, stop in pages:
        if joined and start - joined[-1][1] < JOINED:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((start, stop))
    return joined


def _spans(minutes: Counts, holds: Bools, end: int) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    moments = [*minutes.tolist(), end]
    return [(moments[start], moments[stop]) for start, stop in edges.reshape(-1, 2).tolist()]
