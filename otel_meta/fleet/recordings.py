"""What the rules recorded about all SLOs, by a number of queries that does not grow with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import equals, labelled, quoted, selector
from otel_meta.status.status import FiringAlert

from .answers import Sample
from .prometheus_api import PrometheusApi
from .slo_keys import Asked, SloKey
from .steps import Steps

POINTS: Final = 120
"""The most points of a burn-down."""
_WEEK: Final = Duration("7d")
_POINT: Final = "point"
"""A label that tells the parts of one answer apart."""
EXCLUDED: Final = ("slo:bad:excluded_period", "slo:total:excluded_period")
"""The events of the period that corrections exclude."""

ByKey = Mapping[SloKey, float]


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """The recordings of the SLOs that are asked for."""

    now: Mapping[str, ByKey]
    """Present values by name of the series."""
    before: Mapping[str, ByKey]
    """The cumulative counts before the period, by name; absent where they had not begun."""
    bad: Mapping[SloKey, Mapping[int, float]]
    """The cumulative count of bad events over the period, by time."""
    firing: Mapping[SloKey, tuple[FiringAlert, ...]]

    def value(self, name: str, key: SloKey) -> float | None:
        """Return the present value of a series."""
        return self.now[name].get(key)

    def over_period(self, name: str, key: SloKey) -> float:
        """Return the increase of a cumulative count over the period."""
        return max(self.now[name].get(key, 0.0) - self.before[name].get(key, 0.0), 0.0)


def last_seen(api: PrometheusApi, at: int, identity: Iterable[str]) -> tuple[Sample, ...]:
    """Return the time of the last recording of each SLO and service in a week, to the hour.

    Recordings of the last five minutes have their exact time.
    """
    time = f"timestamp({series_names.TOTAL_CUMULATIVE})"
    by = ", ".join((series_names.SLO, *identity))
    return api.instant(f"max by ({by}) ({time} or max_over_time({time}[{_WEEK}:1h]))", at)


def read(api: PrometheusApi, asked: Asked, at: int) -> Recordings:
    """Ask for the recordings: four queries, and one for each period that the SLOs have."""
    periods = dict.fromkeys(slo.period for _, slo in asked.declared.values())
    return Recordings(
        now=_present(api, asked, at),
        before=_before(api, asked, at, periods),
        bad={key: values for p in periods for key, values in _course(api, asked, at, p)},
        firing=_firing(api, asked, at),
    )


def lookbacks(slo: Slo) -> tuple[Duration, ...]:
    """Return the spans whose burn rates a status has."""
    return tuple(sorted({*slo.burn_lookbacks(), BURN_RATE_SPAN}))


def _present(api: PrometheusApi, asked: Asked, at: int) -> Mapping[str, ByKey]:
    spans = {span for _, slo in asked.declared.values() for span in lookbacks(slo)}
    names = (
        series_names.BAD_CUMULATIVE,
        series_names.TOTAL_CUMULATIVE,
        series_names.COVERAGE,
        series_names.COMPLIANT,
        *EXCLUDED,
        *map(series_names.error_ratio, spans),
        *map(series_names.bad, spans),
    )
    any_name = f"__name__=~{quoted('|'.join(names))}"
    found = api.instant(selector("", [any_name, *asked.matchers]), at)
    return {
        name: _largest(asked, (one for one in found if one.labels["__name__"] == name))
        for name in names
    }


def _before(
    api: PrometheusApi, asked: Asked, at: int, periods: Iterable[Duration]
) -> Mapping[str, ByKey]:
    """Return the counts before each SLO's own period, or their last value before a hole."""
    names = (series_names.BAD_CUMULATIVE, series_names.TOTAL_CUMULATIVE)
    points = {f"{name} {period}": (name, period) for name in names for period in periods}
    parts = (
        labelled(_then(selector(name, asked.matchers), period), _POINT, point)
        for point, (name, period) in points.items()
    )
    found = api.instant("\nor\n".join(parts), at)

    def of(name: str) -> Iterator[Sample]:
        for one in found:
            recorded, period = points[one.labels[_POINT]]
            key = asked.key(one.labels)
            if recorded == name and key and asked.declared[key.slo][1].period == period:
                yield one

    return {name: _largest(asked, of(name)) for name in names}


def _then(count: str, period: Duration) -> str:
    return f"({count} offset {period} or max_over_time({count}[{_WEEK}:2h] offset {period}))"


def _course(
    api: PrometheusApi, asked: Asked, at: int, period: Duration
) -> Iterator[tuple[SloKey, Mapping[int, float]]]:
    steps = Steps.back(period.seconds, at, POINTS)
    query = selector(series_names.BAD_CUMULATIVE, asked.matchers)
    for one in api.range(query, steps):
        key = asked.key(one.labels)
        if key and asked.declared[key.slo][1].period == period:
            yield key, {moment: value for moment, value in one.values.items() if isfinite(value)}


def _firing(api: PrometheusApi, asked: Asked, at: int) -> Mapping[SloKey, tuple[FiringAlert, ...]]:
    query = selector("ALERTS", [equals("alertstate", "firing"), *asked.matchers])
    found: dict[SloKey, list[FiringAlert]] = defaultdict(list)
    for one in api.instant(query, at):
        if key := asked.key(one.labels):
            alert = FiringAlert(one.labels["alertname"], one.labels.get("severity", ""))
            found[key].append(alert)
    return {key: tuple(sorted(set(alerts))) for key, alerts in found.items()}


def _largest(asked: Asked, samples: Iterable[Sample]) -> ByKey:
    """Return the value of each SLO and service; of two replicas' values, the larger one."""
    found: dict[SloKey, float] = {}
    for one in samples:
        key = asked.key(one.labels)
        if key and isfinite(one.value):
            found[key] = max(one.value, found.get(key, one.value))
    return found
