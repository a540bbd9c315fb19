"""The true share of bad events over each span, and when each window pair burns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from otel_meta.model import Slo
from otel_meta.model.slo.event_terms import TimeSlices
from tests.rules.raw_series import SLICES, Flow, bad_series


@dataclass(frozen=True)
class Oracle:
    """The events of a flow, counted exactly; it shares nothing with the rules."""

    slo: Slo
    step: int
    """Minutes from one evaluation to the next."""
    bad: list[float]
    total: list[float]
    """Events until the end of each minute, the first at minute 0."""

    @classmethod
    def of(cls, slo: Slo, flow: Flow, step: int) -> Oracle:
        """Return the oracle of a flow."""
        if isinstance(slices := slo.sli.parts[0].bad_events, TimeSlices):
            seconds = 60.0 * SLICES[slices.series]
            flow = [(60.0 * count, seconds) for count in bad_series(slices, flow)]
        bads, totals = zip(*flow, strict=True)
        return cls(slo, step, [0.0, *accumulate(bads)], [0.0, *accumulate(totals)])

    @property
    def evaluations(self) -> range:
        """The numbers of the evaluations, the first at minute 0."""
        return range((len(self.bad) - 1) // self.step + 1)

    def sums(self, seconds: int) -> Callable[[int], tuple[float, float]]:
        """Return a function from an evaluation to the bad and total events over a span."""

        def at(n: int) -> tuple[float, float]:
            end = n * self.step
            start = max(0, end - seconds // 60)
            return self.bad[end] - self.bad[start], self.total[end] - self.total[start]

        return at

    def arms(self, severity: str) -> list[list[bool]]:
        """Return for each window pair of a severity and each evaluation True if it burns."""
        return [
            [self._burns(window, n) for n in self.evaluations]
            for window in self.slo.burn_windows
            if window.severity == severity
        ]

    def burning(self, severity: str) -> list[bool]:
        """Return for each evaluation True if the alert of a severity fires."""
        return [any(arms) for arms in zip(*self.arms(severity), strict=True)]

    def _burns(self, window: Any, n: int) -> bool:
        limit = float(window.burn_rate(self.slo.period) * self.slo.objective.budget)
        long, short = self.sums(window.long.seconds), self.sums(window.short.seconds)
        (bad, total), (short_bad, short_total) = long(n), short(n)
        return (
            total > 0
            and short_total > 0
            and bad / total > limit
            and short_bad / short_total > limit
            and bad >= self.slo.min_bad_events
        )


def first_true(holds: Sequence[bool], start: int = 0) -> int:
    """Return the first evaluation for which the value is true."""
    return next(n for n in range(start, len(holds)) if holds[n])
