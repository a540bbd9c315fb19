"""Panels of an instrument, by its kind: rates of counters, values of gauges, quantiles and heat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from otel_meta.model import Alert, Instrument, MetaRepo, Recording, Selector, Threshold, TimeSlice
from otel_meta.model.measures import Latest, OverTime
from otel_meta.render.rules.promql_builder import count_suffix, series_of, sum_by
from otel_meta.render.rules.series_names import SERVICE

from .grafana_units import rate_unit_of, unit_of
from .panel import Panel, Query, Step, above, below, legend_of
from .trace_links import trace_links
from .variables import OF_SERVICE

QUANTILES: Final = (("p99", "0.99"), ("p95", "0.95"), ("p50", "0.5"))
RATE_INTERVAL: Final = "$__rate_interval"

_ACRONYMS: Final = {word.lower(): word for word in ("API", "CPU", "GCP", "HTTP", "USD", "dbt")}


def panels_of(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    """Every panel of an instrument."""
    match instrument.traits.prometheus_type:
        case "counter":
            return _counter(repo, instrument)
        case "gauge":
            return _gauge(repo, instrument)
        case "histogram":
            return _histogram(repo, instrument)


def words_of(name: str) -> str:
    """A name as a title."""
    first, *rest = re.split(r"[._ -]", name)
    words = (_ACRONYMS.get(first, first.capitalize()), *(_ACRONYMS.get(w, w) for w in rest))
    return " ".join(words)


def explained(instrument: Instrument[...]) -> str:
    """What an instrument says, and the name to ask for."""
    return f"{instrument.description} Metric `{instrument.prometheus_name}`."


def quantiles(
    instrument: Instrument[...], buckets: str, steps: tuple[Step, ...], *, width: int = 8
) -> Panel:
    """Quantiles of a histogram over its bucket series; dots are exemplars."""
    rate = sum_by(("le",), f"rate({buckets}[{RATE_INTERVAL}])")
    return Panel(
        look="timeseries",
        title=f"{words_of(instrument.name)}, quantiles",
        description=explained(instrument),
        unit=unit_of(instrument),
        queries=tuple(
            Query(expr=f"histogram_quantile({q}, {rate})", legend=name, exemplar=name == "p99")
            for name, q in QUANTILES
        ),
        width=width,
        steps=steps,
        links=trace_links(),
    )


def _counter(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    match = Selector(instrument)
    labels = _kept(instrument)
    series = series_of(match, repo.name, count_suffix(match), OF_SERVICE)
    rate = "how many a second" if instrument.traits.has_buckets else "a second"
    yield Panel(
        look="timeseries",
        title=f"{words_of(instrument.name)}, {rate}",
        description=explained(instrument),
        unit=rate_unit_of(instrument),
        queries=(
            Query(
                expr=sum_by(labels, f"rate({series}[{RATE_INTERVAL}])"),
                legend=legend_of(labels),
            ),
        ),
        lowest=0,
    )


def _gauge(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    labels = tuple(label.name for label in instrument.label_fields) or (SERVICE,)
    series = series_of(Selector(instrument), repo.name, "", OF_SERVICE)
    yield Panel(
        look="timeseries",
        title=words_of(instrument.name),
        description=explained(instrument),
        unit=unit_of(instrument),
        queries=(
            Query(
                expr=sum_by(labels, series, _merge(repo, instrument)),
                legend=legend_of(labels),
            ),
        ),
        steps=_bounds(repo, instrument),
    )


def _histogram(repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
    buckets = series_of(Selector(instrument), repo.name, "_bucket", OF_SERVICE)
    yield quantiles(instrument, buckets, _bounds(repo, instrument))
    heat = sum_by(("le",), f"increase({buckets}[{RATE_INTERVAL}])")
    yield Panel(
        look="heatmap",
        title=f"{words_of(instrument.name)}, by bucket",
        description=explained(instrument),
        unit=unit_of(instrument),
        queries=(Query(expr=heat, legend="{{le}}", exemplar=True),),
    )
    yield from _counter(repo, instrument)


def _kept(instrument: Instrument[...]) -> tuple[str, ...]:
    """Closed labels, which make few series; else the open ones; else the service."""
    fields = instrument.label_fields
    closed = tuple(label.name for label in fields if label.values is not None)
    return closed or tuple(label.name for label in fields) or (SERVICE,)


def _merge(repo: type[MetaRepo], instrument: Instrument[...]) -> str:
    """How values of several services become one: as declared with a measure, if anywhere."""
    if instrument.traits.is_additive:
        return "sum"
    items: tuple[Recording | Alert, ...] = (*repo.recordings.values(), *repo.alerts.values())
    declared = (item.measure for item in items)
    merges = (
        measure.aggregation
        for measure in declared
        if isinstance(measure, Latest | OverTime) and measure.source.instrument is instrument
    )
    return next(merges, "max")


def _bounds(repo: type[MetaRepo], instrument: Instrument[...]) -> tuple[Step, ...]:
    """The bound that an SLO or an alert sets to all of an instrument's series, if one does."""
    return next(
        (steps for match, steps in _promised(repo) if match == Selector(instrument)),
        (),
    )


def _promised(repo: type[MetaRepo]) -> Iterator[tuple[Selector, tuple[Step, ...]]]:
    for slo in repo.slos.values():
        match slo.sli:
            case Threshold(values, bound):
                yield values, above(bound)
            case TimeSlice(value=value, at_least=float() | int() as bound):
                yield value, below(bound)
            case TimeSlice(value=value, at_most=bound):
                yield value, above(bound or 0)
            case _:
                pass
    for alert in repo.alerts.values():
        if isinstance(alert.measure, Latest):
            yield alert.measure.source, alert_steps(alert)


def alert_steps(alert: Alert) -> tuple[Step, ...]:
    """Red where an alert fires."""
    return below(alert.below) if alert.below is not None else above(alert.above or 0)
