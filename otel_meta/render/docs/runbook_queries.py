"""Queries of the runbooks about one SLO: does the service still burn, since when, in which part."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.model.identity import Identity
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.promql_builder import (
    compared,
    equals,
    increase,
    number,
    selector,
    series_of,
    sum_by,
)
from otel_meta.render.rules.sli_promql import Scope, increments

RECENT: Final = Duration("15m")
"""The span in which the queries look for bad events."""
_DAY: Final = "1d:1m"
_WORST: Final = 10


def burn_rate_now(slo: Slo) -> str:
    """Return the burn rate of the last minutes."""
    return f"{_ratio(slo)} / {number(slo.objective.budget)}"


def minutes_of_burning(slo: Slo) -> str:
    """Return the minutes since the budget was last spent no faster than allowed."""
    kept = f"timestamp({_ratio(slo)} <= {number(slo.objective.budget)})"
    return f"(time() - max_over_time({kept}[{_DAY}])) / 60"


def minutes_without_events() -> str:
    """Return the minutes since the last evaluation with events, by SLO and service."""
    return f"(time() - max_over_time(timestamp({series_names.TOTAL} > 0)[7d:5m])) / 60"


def bad_parts(repo: type[MetaRepo], slo: Slo, options: Options) -> str:
    """Return the parts of the services with the most bad events, by the labels of the metric."""
    match slo.sli.parts:
        case (SimpleSli(bad_events=TimeSlices() as bad),):
            series = series_of(bad.selector, repo.name)
            return f"{series} {compared(bad.comparison)}" if bad.comparison else series
        case parts:
            first, *others = map(_labels, parts)
            labels = tuple(name for name in first if all(name in other for other in others))
            return _worst(_bad_events(repo, slo, options, labels))


def bad_instances(repo: type[MetaRepo], slo: Slo, options: Options) -> str:
    """Return the instances with the most bad events; empty for time slices, which name theirs."""
    if slo.sli.unit == "seconds":
        return ""
    return _worst(_bad_events(repo, slo, options, ("instance",)))


def _bad_events(repo: type[MetaRepo], slo: Slo, options: Options, labels: tuple[str, ...]) -> str:
    identity = Identity((*options.identity.places, *labels))
    match slo.sli.parts:
        case (SimpleSli(bad_events=EventCount(has_bounds=False) as bad),):
            suffix = bad.selector.instrument.traits.count_suffix
            series = series_of(bad.selector, repo.name, suffix)
            return sum_by(identity.service, increase(series, RECENT, options))
        case _:
            scope = Scope(repo.name, RECENT, replace(options, identity=identity))
            return increments(slo.sli, scope).bad


def _labels(sli: SimpleSli) -> tuple[str, ...]:
    """Return the labels of the bad events that the expression of an SLI can keep."""
    bad, total = sli.bad_events, sli.total_events
    of_total = {label.name for label in total.selector.instrument.label_fields}
    names = (label.name for label in bad.selector.instrument.label_fields)
    is_difference = isinstance(bad, Remainder)
    return tuple(name for name in names if name in of_total or not is_difference)


def _worst(events: str) -> str:
    inside = f"({events})" if "\n" in events or " - " in events else events
    return f"topk({_WORST}, {inside} > 0)"


def _ratio(slo: Slo) -> str:
    name = series_names.error_ratio(INCREASE_WINDOW)
    return selector(name, [equals(series_names.SLO, slo.name)])
