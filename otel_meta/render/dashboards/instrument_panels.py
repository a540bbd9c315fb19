"""Panels of instruments: rates of counters, values of gauges, quantiles of histograms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from otel_meta.model import Alert, Instrument, MetaRepo, Recording, Selector, Sli
from otel_meta.model.measure import Latest, OverTime
from otel_meta.model.slo.comparison import Comparison
from otel_meta.render.rules.promql_builder import count_suffix, series_of, sum_by
from otel_meta.render.rules.series_names import SERVICE

from .grafana_units import rate_unit_of, unit_of
from .panel import Panel, Query, ThresholdStep, above, below, legend_of
from .trace_links import trace_links
from .variables import SERVICE_MATCHER

QUANTILES: Final = (("p99", "0.99"), ("p95", "0.95"), ("p50", "0.5"))
RATE_INTERVAL: Final = "$__rate_interval"

_ACRONYMS: Final = {word.lower(): word for word in ("API", "CPU", "GCP", "HTTP", "USD", "dbt")}


def panels_of(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    """Return the panels of an instrument."""
    match instrument.traits.prometheus_type:
        case "counter":
            return _counter(repo, instrument)
        case "gauge":
            return _gauge(repo, instrument)
        case "histogram":
            return _histogram(repo, instrument)


def title_of(name: str) -> str:
    """Return the title for the name of an instrument or SLO: ``"api.calls"`` gives "API calls"."""
    first, *rest = re.split(r"[._ -]", name)
    words = (_ACRONYMS.get(first, first.capitalize()), *(_ACRONYMS.get(w, w) for w in rest))
    return " ".join(words)


def description_of(instrument: Instrument[...]) -> str:
    """Return an instrument's description and its name in Prometheus."""
    return f"{instrument.description} Metric `{instrument.prometheus_name}`."


def quantile_panel(
    instrument: Instrument[...],
    buckets: str,
    thresholds: tuple[ThresholdStep, ...],
    *,
    width: int = 8,
) -> Panel:
    """Return the panel of a histogram's quantiles, with exemplars as dots.

    Args:
        instrument: the histogram.
        buckets: selector of its bucket series.
        thresholds: colours of its values.
        width: columns of the grid.
    """
    rate = sum_by(("le",), f"rate({buckets}[{RATE_INTERVAL}])")
    return Panel(
        visualization="timeseries",
        title=f"{title_of(instrument.name)}, quantiles",
        description=description_of(instrument),
        unit=unit_of(instrument),
        queries=tuple(
            Query(expr=f"histogram_quantile({q}, {rate})", legend=name, exemplar=name == "p99")
            for name, q in QUANTILES
        ),
        width=width,
        thresholds=thresholds,
        links=trace_links(),
    )


def _counter(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    selector = Selector(instrument)
    labels = _grouping_labels(instrument)
    series = series_of(selector, repo.name, count_suffix(selector), SERVICE_MATCHER)
    rate = ", observations per second" if instrument.traits.has_buckets else " per second"
    yield Panel(
        visualization="timeseries",
        title=f"{title_of(instrument.name)}{rate}",
        description=description_of(instrument),
        unit=rate_unit_of(instrument),
        queries=(
            Query(
                expr=sum_by(labels, f"rate({series}[{RATE_INTERVAL}])"),
                legend=legend_of(labels),
            ),
        ),
        min=0,
    )


def _gauge(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    labels = tuple(label.name for label in instrument.label_fields) or (SERVICE,)
    series = series_of(Selector(instrument), repo.name, "", SERVICE_MATCHER)
    yield Panel(
        visualization="timeseries",
        title=title_of(instrument.name),
        description=description_of(instrument),
        unit=unit_of(instrument),
        queries=(
            Query(
                expr=sum_by(labels, series, _aggregation(repo, instrument)),
                legend=legend_of(labels),
            ),
        ),
        thresholds=_thresholds(repo, instrument),
    )


def _histogram(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    buckets = series_of(Selector(instrument), repo.name, "_bucket", SERVICE_MATCHER)
    yield quantile_panel(instrument, buckets, _thresholds(repo, instrument))
    heat = sum_by(("le",), f"increase({buckets}[{RATE_INTERVAL}])")
    yield Panel(
        visualization="heatmap",
        title=f"{title_of(instrument.name)}, by bucket",
        description=description_of(instrument),
        unit=unit_of(instrument),
        queries=(Query(expr=heat, legend="{{le}}", exemplar=True),),
    )
    yield from _counter(repo, instrument)


def _grouping_labels(instrument: Instrument[...]) -> tuple[str, ...]:
    """Return the closed labels, which have few values; else the open labels; else the service."""
    fields = instrument.label_fields
    closed = tuple(label.name for label in fields if label.values is not None)
    return closed or tuple(label.name for label in fields) or (SERVICE,)


def _aggregation(repo: type[MetaRepo], instrument: Instrument[...]) -> str:
    """Return the aggregation over services: the first declared by a measure, or max."""
    if instrument.traits.is_additive:
        return "sum"
    items: tuple[Recording | Alert, ...] = (*repo.recordings.values(), *repo.alerts.values())
    measures = (item.measure for item in items)
    declared = (
        measure.aggregation
        for measure in measures
        if isinstance(measure, Latest | OverTime) and measure.source.instrument is instrument
    )
    return next(declared, "max")


def _thresholds(repo: type[MetaRepo], instrument: Instrument[...]) -> tuple[ThresholdStep, ...]:
    """Return the bound of an SLO or alert that selects all series of the instrument, if any."""
    return next(
        (steps for selector, steps in _bounds(repo) if steps and selector == Selector(instrument)),
        (),
    )


def _bounds(repo: type[MetaRepo]) -> Iterator[tuple[Selector, tuple[ThresholdStep, ...]]]:
    for slo in repo.slos.values():
        yield slo.sli.bad_events.selector, sli_thresholds(slo.sli)
    for alert in repo.alerts.values():
        if isinstance(alert.measure, Latest):
            yield alert.measure.source, alert_thresholds(alert)


def sli_thresholds(sli: Sli) -> tuple[ThresholdStep, ...]:
    """Return thresholds with red for the bad values of an SLI; none if it compares no values."""
    ranges = [_red_if(bad) for bad in sorted(sli.bad_values, key=attrgetter("bound"))]
    return (*ranges[0], *(step for steps in ranges[1:] for step in steps[1:])) if ranges else ()


def alert_thresholds(alert: Alert) -> tuple[ThresholdStep, ...]:
    """Return thresholds with red for the values that fire an alert."""
    return _red_if(alert.comparison)


def _red_if(comparison: Comparison) -> tuple[ThresholdStep, ...]:
    return (below if comparison.operator in ("<", "<=") else above)(comparison.bound)
