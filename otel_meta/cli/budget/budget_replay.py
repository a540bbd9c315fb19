"""The recorded past under another objective: the error budget, and when alerts would have fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple, TypedDict

from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.fleet.series_values import values_by_series
from otel_meta.fleet.steps import Steps
from otel_meta.model import Budget, BurnWindow, Duration, Slo
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL
from otel_meta.render.rules.promql_builder import equals, one_of, selector

STEP: Final = EVALUATION_INTERVAL.seconds
"""Seconds from one recorded value to the next."""


class ReplayedAlertJson(TypedDict):
    """What the alert of a window would have done."""

    severity: str
    long: str
    short: str
    minutes: int
    """Minutes in which the condition was true."""
    times: int
    """Number of separate times."""


class ReplayedObjectiveJson(TypedDict):
    """The recorded past under one objective."""

    objective: str
    budget_left: float | None
    alerts: list[ReplayedAlertJson]


class ReplayJson(TypedDict):
    """The recorded past of a service."""

    service: dict[str, str]
    recorded_minutes: int
    bad: float
    total: float
    objectives: list[ReplayedObjectiveJson]


class Counts(NamedTuple):
    """Cumulative counts of a service, at equal steps up to the present."""

    bad: Sequence[float]
    total: Sequence[float]
    is_recorded: Sequence[bool]
    """Whether there is a value at each step; the counts have the last one before."""

    def share(self, position: int, steps: int) -> float | None:
        """Return the share of bad events in the steps before a position; None without events."""
        total = _increase(self.total, position, steps)
        return _increase(self.bad, position, steps) / total if total > 0 else None


def replays(
    api: PrometheusApi, slos: Sequence[Slo], services: Mapping[str, str], at: int
) -> list[ReplayJson]:
    """Return the recorded past of each service.

    Args:
        api: the server.
        slos: the SLO with each objective, the declared one first.
        services: labels of the services; empty means all services.
        at: the end of the past, in seconds since 1970.

    Raises:
        BackendError: the server does not answer, or refuses the query.
    """
    found = read_counts(api, slos[0], services, at)
    return [replay(dict(labels), counts, slos) for labels, counts in found.items()]


def read_counts(
    api: PrometheusApi, slo: Slo, services: Mapping[str, str], at: int
) -> dict[frozenset[tuple[str, str]], Counts]:
    """Return the counts of each service over the period, and the longest window before.

    Raises:
        BackendError: the server does not answer, or refuses the query.
    """
    longest = max((window.long.seconds for window in slo.burn_windows), default=0)
    end = at // STEP * STEP
    steps = Steps(end - (slo.period.seconds + longest) // STEP * STEP, end, STEP)
    matchers = [
        one_of(series_names.SLO, (slo.name, *slo.formerly)),
        *(equals(label, value) for label, value in services.items()),
    ]
    bad, total = (
        _by_service(values_by_series(api, selector(name, matchers), steps))
        for name in (series_names.BAD_CUMULATIVE, series_names.TOTAL_CUMULATIVE)
    )
    return {
        service: counts_of(bad.get(service, {}), values, steps.times)
        for service, values in total.items()
    }


def counts_of(bad: Mapping[int, float], total: Mapping[int, float], times: range) -> Counts:
    """Return the counts at all times; a count that begins in between was 0 before."""
    return Counts(
        [*_continued(bad, times)], [*_continued(total, times)], [at in total for at in times]
    )


def replay(service: Mapping[str, str], counts: Counts, slos: Sequence[Slo]) -> ReplayJson:
    """Replay the last period of a service.

    Args:
        service: its labels.
        counts: over the period, and the longest window before.
        slos: the SLO with each objective.
    """
    steps = slos[0].period.seconds // STEP
    end = len(counts.total) - 1
    bad, total = (_increase(count, end, steps) for count in (counts.bad, counts.total))
    return {
        "service": dict(service),
        "recorded_minutes": sum(counts.is_recorded[-steps:]) * STEP // 60,
        "bad": bad,
        "total": total,
        "objectives": [_under_objective(slo, counts, bad, total) for slo in slos],
    }


def _under_objective(slo: Slo, counts: Counts, bad: float, total: float) -> ReplayedObjectiveJson:
    left = Budget(slo.objective, Fraction(bad), Fraction(total)).left
    return {
        "objective": str(slo.objective),
        "budget_left": None if left is None else float(left),
        "alerts": [_alert(slo, window, counts) for window in slo.burn_windows],
    }


def _alert(slo: Slo, window: BurnWindow, counts: Counts) -> ReplayedAlertJson:
    last = len(counts.total)
    positions = range(last - slo.period.seconds // STEP, last)
    burns = [_burns(slo, window, counts, position) for position in positions]
    return {
        "severity": window.severity,
        "long": str(window.long),
        "short": str(window.short),
        "minutes": sum(burns) * STEP // 60,
        "times": sum(now and not before for before, now in pairwise([False, *burns])),
    }


def _burns(slo: Slo, window: BurnWindow, counts: Counts, position: int) -> bool:
    """Return True if the condition is true; the bounds are those of the rules."""
    if not counts.is_recorded[position]:
        return False
    limit = float(window.limit(slo.period, slo.objective.budget))
    bad = _increase(counts.bad, position, _steps(window.long))
    if bad <= slo.min_bad_events - 0.5:
        return False
    shares = (counts.share(position, _steps(span)) for span in (window.long, window.short))
    return all(share is not None and share > limit for share in shares)


def _steps(span: Duration) -> int:
    return span.seconds // STEP


def _increase(count: Sequence[float], position: int, steps: int) -> float:
    return count[position] - count[max(position - steps, 0)]


def _by_service(
    found: Mapping[frozenset[tuple[str, str]], Mapping[int, float]],
) -> dict[frozenset[tuple[str, str]], dict[int, float]]:
    """Return the values by service; of two names of the SLO, the larger count goes on."""
    joined: dict[frozenset[tuple[str, str]], dict[int, float]] = {}
    for labels, values in found.items():
        service = frozenset(pair for pair in labels if pair[0] != series_names.SLO)
        known = joined.setdefault(service, {})
        for at, value in values.items():
            known[at] = max(value, known.get(at, value))
    return joined


def _continued(values: Mapping[int, float], times: range) -> Iterator[float]:
    """Yield a count at all times: the last one in a hole; a count that falls has begun anew."""
    count, last = 0.0, values.get(times[0], 0.0)
    for at in times:
        value = values.get(at, last)
        count += value - last if value >= last else value
        last = value
        yield count
