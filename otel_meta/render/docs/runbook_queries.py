"""Queries of the runbooks about one SLO: does the service still burn, since when, in which part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.model.identity import SERVICE
from otel_meta.model.slo.event_terms import Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.promql_builder import (
    compared,
    equals,
    indented,
    lines,
    number,
    selector,
    series_of,
)
from otel_meta.render.rules.sli_promql import Scope, increments

_RECENT: Final = Duration("1h")
_DAY: Final = Duration("1d")
_LONGEST_PAUSE: Final = Duration("6h")
_LONGEST: Final = "1d:1m"
_WORST: Final = 10
_HOUR: Final = 3600


class BadEvents(NamedTuple):
    """Queries for the bad events that one metric counts, the most first."""

    metric: str
    by_labels: str
    by_instance: str
    """Empty for time slices, whose series have the label already."""


def burn_rate_now(slo: Slo) -> str:
    """Return the burn rate of the last minutes."""
    return f"{_ratio(slo)} / {number(slo.objective.budget)}"


def minutes_of_burning(slo: Slo) -> str:
    """Return the minutes since the budget was last spent no faster than allowed, if it burns."""
    budget = number(slo.objective.budget)
    kept = f"max_over_time(timestamp({_ratio(slo)} <= {budget})[{_LONGEST}])"
    return lines(f"(time() - {kept}) / 60", f"and {_ratio(slo)} > {budget}")


def budget_left(slo: Slo) -> str:
    """Return the share of the error budget that is left."""
    return _of(slo, series_names.BUDGET_REMAINING)


def hours_left(slo: Slo) -> str:
    """Return the hours until the rest of the error budget is gone, at the rate of the last hour."""
    period = number(slo.period.seconds / _HOUR)
    rate = _of(slo, series_names.BURN_RATE_1H)
    return lines(f"({budget_left(slo)} > 0)", f"* {period} / ({rate} > 0)")


def minutes_without_events(slo: Slo | None = None) -> str:
    """Return the minutes since the last evaluation with events: of one SLO, or of all."""
    total = series_names.TOTAL if slo is None else _of(slo, series_names.TOTAL)
    return f"(time() - max_over_time(timestamp({total} > 0)[7d:5m])) / 60"


def span_of(slo: Slo) -> Duration:
    """Return the span in which to look for bad events: a day, if the events may pause for hours."""
    return _RECENT if slo.no_data_after <= _LONGEST_PAUSE else _DAY


def bad_events(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[BadEvents]:
    """Yield the queries for each metric of the SLO."""
    for part in slo.sli.parts:
        bad = part.bad_events
        name = bad.selector.instrument.prometheus_name
        if isinstance(bad, TimeSlices):
            outside = f" {compared(bad.comparison)}" if bad.comparison else ""
            yield BadEvents(name, f"{series_of(bad.selector, repo.name)}{outside}", "")
        else:
            scope = Scope(repo.name, span_of(slo), options, sparse=True)
            queries = (_worst(part, scope, labels) for labels in (_labels(part), ("instance",)))
            yield BadEvents(name, *queries)


def _worst(part: SimpleSli, scope: Scope, labels: tuple[str, ...]) -> str:
    """Return the label values with the most bad events."""
    by = (SERVICE, *scope.options.identity.places, *labels)
    events = increments(part, scope._replace(labels=by)).bad
    return lines(f"topk({_WORST},", indented(lines(events, "> 0")), ")")


def _labels(part: SimpleSli) -> tuple[str, ...]:
    """Return the labels of the bad events that vary, and that the expression of an SLI can keep."""
    bad, total = part.bad_events, part.total_events
    names = [label.name for label in bad.selector.instrument.label_fields]
    if isinstance(bad, Remainder):
        of_total = {label.name for label in total.selector.instrument.label_fields}
        names = [name for name in names if name in of_total]
    fixed = {
        matcher.label
        for matcher in bad.selector.matchers
        if isinstance(matcher.values, tuple) and len(matcher.values) == 1
    }
    return tuple(name for name in names if name not in fixed)


def _ratio(slo: Slo) -> str:
    return _of(slo, series_names.error_ratio(INCREASE_WINDOW))


def _of(slo: Slo, name: str) -> str:
    return selector(name, [equals(series_names.SLO, slo.name)])
