"""The status of one SLO of one service, from the recordings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Duration, Slo
from otel_meta.model.identity import NAMESPACE
from otel_meta.render.rules import series_names
from otel_meta.status.events import NO_EVENTS, Events
from otel_meta.status.status import Burn, BurnDownPoint, Status

from .recordings import Edges, Recordings, lookbacks
from .slo_keys import Asked, SloKey

_EXCLUDED: Final = (series_names.PERIOD_BAD_EXCLUDED, series_names.PERIOD_TOTAL_EXCLUDED)


def recorded_status(
    asked: Asked, key: SloKey, recorded: Recordings, at: int, *, is_fresh: bool
) -> Status:
    """Return the status of an SLO of a service.

    It has no data without a fresh recording, or if the rules found no data within the time that
    the SLO declares.

    Args:
        asked: the declarations.
        key: the SLO and the service.
        recorded: what the rules recorded.
        at: the present, in seconds since 1970.
        is_fresh: True if the rules were evaluated a short time ago.
    """
    repo, slo = asked.declared[key.slo]
    has_data = is_fresh and recorded.value(series_names.COMPLIANT, key) is not None
    excluded, events = _events(key, recorded) if has_data else (NO_EVENTS, NO_EVENTS)
    coverage = recorded.value(series_names.COVERAGE, key) or 0.0
    return Status(
        slo=slo,
        repo=repo.name,
        owner=repo.owner,
        service=asked.service(key),
        events=events,
        excluded=excluded,
        burns={span: _burn(slo, span, key, recorded) for span in lookbacks(slo)},
        covered=coverage * slo.period.seconds,
        burn_down=tuple(_burn_down(slo, key, recorded, events, at)),
        firing=recorded.firing.get(key, ()),
    )


def absent_status(asked: Asked, name: str) -> Status:
    """Return the status of an SLO that no service has."""
    repo, slo = asked.declared[name]
    return Status(
        slo=slo,
        repo=repo.name,
        owner=repo.owner,
        service={NAMESPACE: repo.name, **asked.services},
        events=NO_EVENTS,
        burns={},
        covered=0.0,
    )


def _events(key: SloKey, recorded: Recordings) -> tuple[Events, Events]:
    """Return the excluded events of the period, and the other events."""
    excluded = Events(*(recorded.value(name, key) or 0.0 for name in _EXCLUDED))
    bad = recorded.over_period(series_names.BAD_CUMULATIVE, key) - excluded.bad
    total = recorded.over_period(series_names.TOTAL_CUMULATIVE, key) - excluded.total
    return excluded, Events(max(bad, 0.0), max(total, 0.0))


def _burn(slo: Slo, span: Duration, key: SloKey, recorded: Recordings) -> Burn:
    ratio = recorded.value(series_names.error_ratio(span), key)
    rate = None if ratio is None else ratio / float(slo.objective.budget)
    return Burn(rate, recorded.bad_over(span, key))


def _burn_down(
    slo: Slo, key: SloKey, recorded: Recordings, events: Events, at: int
) -> Iterator[BurnDownPoint]:
    """Yield the course of the budget, without the events of corrections."""
    allowed = float(slo.objective.budget) * events.total
    if allowed <= 0:
        return
    before = recorded.before[series_names.BAD_CUMULATIVE].get(key, 0.0)
    corrected = recorded.corrected.get(key, {}).values()
    for moment, count in sorted(recorded.bad.get(key, {}).items()):
        bad = count - before - sum(_excluded(edges, before, count) for edges in corrected)
        yield BurnDownPoint(at - moment, 1 - min(max(bad, 0.0), events.bad) / allowed)


def _excluded(edges: Edges, before: float, count: float) -> float:
    """Return the events of a correction between two values of a count that never falls."""
    low, high = (min(max(value, edges.begin), edges.end) for value in (before, count))
    return max(high - low, 0.0)
