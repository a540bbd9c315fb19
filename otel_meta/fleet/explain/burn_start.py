"""Since when an error budget burns: the beginning of the last run of too many bad events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.fleet.steps import Steps
from otel_meta.model import Slo
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.status.promql_text import equals, selector

LONGEST: Final = 86_400
"""Seconds back in which the beginning is searched for."""
_STEP: Final = 10
_PAUSE: Final = 900
"""Seconds within the objective that do not end a run of burning."""


def burn_start(api: PrometheusApi, slo: Slo, where: tuple[str, ...], at: int) -> float | None:
    """Return the time since which an error budget burns; None if it does not.

    A run that began earlier than `LONGEST` ago begins then.
    """
    name = series_names.error_ratio(INCREASE_WINDOW)
    query = f"max({selector(name, [equals(series_names.SLO, slo.name), *where])})"
    found = api.range(query, Steps(at - LONGEST, at, _STEP))
    budget = float(slo.objective.budget)
    burning = [
        moment for series in found for moment, ratio in _ordered(series.values) if ratio > budget
    ]
    return _last_run(burning, at)


def _ordered(values: Mapping[int, float]) -> list[tuple[int, float]]:
    return sorted(values.items())


def _last_run(burning: list[int], at: int) -> float | None:
    """Return the first moment of the run that reaches the present."""
    begin = at
    for moment in reversed(burning):
        if begin - moment > _PAUSE:
            break
        begin = moment
    return begin if burning and at - burning[-1] <= _PAUSE else None
