"""What the rules recorded about all SLOs, by a number of queries that does not grow with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final, NamedTuple

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
_OF_SLOS: Final = (
    series_names.BAD_CUMULATIVE,
    series_names.TOTAL_CUMULATIVE,
    series_names.COVERAGE,
    series_names.COMPLIANT,
    series_names.PERIOD_BAD_EXCLUDED,
    series_names.PERIOD_TOTAL_EXCLUDED,
    series_names.BAD_AT_BEGIN,
    series_names.BAD_AT_END,
)
_WEEK: Final = Duration("7d")
_POINT: Final = "point"
"""A label that tells the parts of one answer apart."""
ByKey = Mapping[SloKey, float]


class Edges(NamedTuple):
    """A cumulative count when a correction begins and when it ends, or now."""

    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """The recordings of the SLOs that are asked for."""

    now: Mapping[str, ByKey]
    """Present values by name of the series."""
    before: Mapping[str, ByKey]
    """The cumulative counts before the period, by name; absent where they had not begun."""
    bad: Mapping[SloKey, Mapping[int, float]]
    """The cumulative count of bad events over the period, by time."""
    corrected: Mapping[SloKey, Mapping[str, Edges]]
    """The cumulative count of bad events at the edges of each correction."""
    firing: Mapping[SloKey, tuple[FiringAlert, ...]]

    def value(self, name: str, key: SloKey) -> float | None:
        """Return the present value of a series."""
        return self.now[name].get(key)

    def bad_over(self, span: Duration, key: SloKey) -> float | None:
        """Return the bad events over a span, without excluded ones, where they are recorded."""
        kept = self.value(series_names.bad_kept(span), key)
        return self.value(series_names.bad(span), key) if kept is None else kept

    def over_period(self, name: str, key: SloKey) -> float:
        """Return the increase of a cumulative count over the period."""
        return max(self.now[name].get(key, 0.0) - self.before[name].get(key, 0.0), 0.0)


def read(api: PrometheusApi, asked: Asked, at: int) -> Recordings:
    """Ask for the recordings: four queries, and one for each period that the SLOs have."""
    periods = dict.fromkeys(slo.period for _, slo in asked.declared.values())
    now = _present(api, asked, at)
    return Recordings(
        now={name: _largest(asked, samples) for name, samples in now.items()},
        corrected=_corrected(asked, now),
        before=_before(api, asked, at, periods),
        bad=_course(api, asked, at, periods),
        firing=_firing(api, asked, at),
    )


def lookbacks(slo: Slo) -> tuple[Duration, ...]:
    """Return the spans whose burn rates a status has."""
    return tuple(sorted({*slo.burn_lookbacks(), BURN_RATE_SPAN}))


def _present(api: PrometheusApi, asked: Asked, at: int) -> Mapping[str, list[Sample]]:
    """Return the present samples of every recording that a status needs, by name."""
    spans = {span for _, slo in asked.declared.values() for span in lookbacks(slo)}
    of_spans = (series_names.error_ratio, series_names.bad, series_names.bad_kept)
    names = (*_OF_SLOS, *(name(span) for name in of_spans for span in sorted(spans)))
    any_name = f"__name__=~{quoted('|'.join(names))}"
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for one in api.instant(selector("", [any_name, *asked.matchers]), at):
        found[one.labels["__name__"]].append(one)
    return found


def _corrected(
    asked: Asked, now: Mapping[str, Iterable[Sample]]
) -> Mapping[SloKey, Mapping[str, Edges]]:
    found: dict[SloKey, dict[str, Edges]] = defaultdict(dict)
    for number, name in enumerate((series_names.BAD_AT_BEGIN, series_names.BAD_AT_END)):
        for one in now[name]:
            if key := asked.key(one.labels):
                correction = one.labels[series_names.CORRECTION]
                edges = found[key].get(correction, Edges(one.value, one.value))
                found[key][correction] = edges if number == 0 else Edges(edges.begin, one.value)
    return found


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
    api: PrometheusApi, asked: Asked, at: int, periods: Iterable[Duration]
) -> Mapping[SloKey, Mapping[int, float]]:
    """Return the counts of bad events over each SLO's own period; replicas and names are one."""
    query = selector(series_names.BAD_CUMULATIVE, asked.matchers)
    found: dict[SloKey, dict[int, float]] = defaultdict(dict)
    for period in periods:
        for one in api.range(query, Steps.back(period.seconds, at, POINTS)):
            key = asked.key(one.labels)
            if key and asked.declared[key.slo][1].period == period:
                counts = found[key]
                for moment, value in one.values.items():
                    if isfinite(value):
                        counts[moment] = max(value, counts.get(moment, value))
    return found


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
