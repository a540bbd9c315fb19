"""The arithmetic of the rules in Python, written without the renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from otel_meta.model import Slo
from otel_meta.model.slo.event_terms import TimeSlices
from tests.rules.raw_series import SLICES, Flow, bad_series


@dataclass(frozen=True)
class Oracle:
    """The rules' arithmetic in Python: what is recorded of a flow, and when each window burns.

    Written from the design (a five-minute layer, quotients of sums) and Prometheus' documented
    ``increase``; it shares nothing with the renderer.
    """

    slo: Slo
    step: int
    """Minutes from one evaluation to the next."""
    bad: list[float]
    total: list[float]
    """Increase over five minutes at each evaluation, the first at minute 0."""

    @classmethod
    def of(cls, slo: Slo, flow: Flow, step: int) -> Oracle:
        """Return the oracle of a flow."""
        times = range(0, len(flow) + 1, step)
        if isinstance(slices := slo.sli.bad_events, TimeSlices):
            series = SLICES[slices.series]
            counts = bad_series(slices, flow)
            off = [counts[0], *counts]
            return cls(
                slo,
                step,
                [_seconds(off, t) for t in times],
                [_seconds([series] * len(off), t) for t in times],
            )
        bads, totals = ([0.0, *part] for part in zip(*flow, strict=True))
        return cls(slo, step, _increases(bads, times), _increases(totals, times))

    def sums(self, seconds: int) -> Callable[[int], tuple[float, float]]:
        """Return a function from an evaluation to the bad and total events over a span."""
        every = 1 if seconds <= 6 * 3600 else max(1, 5 // self.step)
        bads, totals = (_prefix(part[::every]) for part in (self.bad, self.total))
        many = seconds // 60 // self.step // every

        def at(n: int) -> tuple[float, float]:
            last = n // every + 1
            start = max(0, last - many)
            return bads[last] - bads[start], totals[last] - totals[start]

        return at

    def arms(self, severity: str) -> list[list[bool]]:
        """Return for each window pair of a severity and each evaluation True if it burns."""
        return [
            [self._burns(window, n) for n in range(len(self.bad))]
            for window in self.slo.burn_windows
            if window.severity == severity
        ]

    def burning(self, severity: str) -> list[bool]:
        """Return for each evaluation True if the alert of a severity fires."""
        return [any(arms) for arms in zip(*self.arms(severity), strict=True)]

    def _burns(self, window: Any, n: int) -> bool:
        limit = float(window.burn_rate(self.slo.period) * self.slo.objective.budget)
        long, short = self._spans(window.long.seconds), self._spans(window.short.seconds)
        (bad, total), (short_bad, short_total) = long(n), short(n)
        dense = window.long.seconds <= 6 * 3600
        events = bad / 5 if dense else bad
        return (
            total > 0
            and short_total > 0
            and bad / total > limit
            and short_bad / short_total > limit
            and events >= self.slo.min_bad_events
        )

    def _spans(self, seconds: int) -> Callable[[int], tuple[float, float]]:
        known: dict[int, Any] = self.__dict__.setdefault("_known", {})
        if seconds not in known:
            known[seconds] = self.sums(seconds)
        return known[seconds]  # type: ignore[no-any-return]


def _prefix(values: Sequence[float]) -> list[float]:
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return sums


def _increases(per_minute: Sequence[float], times: Iterable[int]) -> list[float]:
    """Prometheus' increase over five minutes of samples a minute apart.

    Five samples span four minutes and are extrapolated to five; near the series' start there are
    fewer, and the extrapolation ends half a step before the first.
    """
    upto = _prefix(per_minute)
    found = []
    for t in times:
        samples = min(5, t + 1)
        intervals = samples - 1
        seen = upto[t + 1] - upto[t + 1 - intervals]
        missing = 5 - intervals
        reach = intervals + (missing if missing < 1.1 else 0.5)
        found.append(seen * reach / intervals if intervals else 0.0)
    return found


def _seconds(off: Sequence[int], t: int) -> float:
    """Return the seconds of bad slices in the five minutes before t."""
    instants = (t * 2 - half for half in range(10))
    return 30.0 * sum(off[i // 2] for i in instants if i >= 0)


def first_true(holds: Sequence[bool], start: int = 0) -> int:
    """Return the first evaluation for which the value is true."""
    return next(n for n in range(start, len(holds)) if holds[n])
