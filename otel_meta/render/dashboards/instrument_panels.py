"""Panels of instruments: rates of counters, values of gauges, quantiles of histograms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Final

from otel_meta.model import Alert, Instrument, MetaRepo, Recording, Selector, Slo
from otel_meta.model.measure import Latest, OverTime
from otel_meta.model.selector import Selectable, as_selector
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.options import TraceStore
from otel_meta.render.rules.promql_builder import matcher, selector, sum_by
from otel_meta.render.rules.series_names import SERVICE

from .grafana.panel import Panel, Query, ThresholdStep, above, below, legend_of
from .grafana.titles import fits, title_of
from .grafana_units import rate_unit_of, unit_of
from .scope import Scope
from .trace_links import trace_link

QUANTILES: Final = (("p99", "0.99"), ("p95", "0.95"), ("p50", "0.5"))
RATE_INTERVAL: Final = "$__rate_interval"


def description_of(series: Selectable) -> str:
    """Return an instrument's description and its name in Prometheus."""
    selected = as_selector(series)
    instrument = selected.instrument
    named = selector(instrument.prometheus_name, map(matcher, selected.matchers))
    return f"{instrument.description} Metric `{named}`."


@dataclass(frozen=True)
class InstrumentPanels:
    """The panels of instruments for the services of a scope.

    Values of several environments and clusters are never added up.
    """

    scope: Scope
    traces: TraceStore

    def of(self, repo: type[MetaRepo], instrument: Instrument[...]) -> Iterator[Panel]:
        """Return the panels of an instrument of a meta-repository."""
        match instrument.traits.prometheus_type:
            case "counter":
                yield self._counter(instrument)
            case "gauge":
                yield self._gauge(repo, instrument)
            case "histogram":
                yield self.quantiles(*judged(repo.slos.values(), instrument))
                yield self._heatmap(instrument)
                yield self._counter(instrument)

    def quantiles(
        self, selected: Selector, thresholds: tuple[ThresholdStep, ...], *, width: int = 8
    ) -> Panel:
        """Return the panel of a histogram's quantiles by service, with exemplars as dots.

        Args:
            selected: the histogram, or some of its series.
            thresholds: colours of its values.
            width: columns of the grid.
        """
        instrument = selected.instrument
        labels = (*self.scope.service_labels, "le")
        matchers = map(matcher, selected.matchers)
        buckets = self._series(instrument, "_bucket", *matchers)
        rate = sum_by(labels, f"rate({buckets}[{RATE_INTERVAL}])")
        return Panel(
            visualization="timeseries",
            title=_titled(instrument, ", quantiles", width),
            description=f"Quantiles. {description_of(selected)}",
            unit=unit_of(instrument),
            queries=tuple(
                Query(
                    expr=f"histogram_quantile({q}, {rate})",
                    legend=f"{name} {self.scope.service_legend}",
                    exemplar=name == "p99",
                )
                for name, q in QUANTILES
            ),
            width=width,
            thresholds=thresholds,
            links=(trace_link(self.traces),),
        )

    def _heatmap(self, instrument: Instrument[...]) -> Panel:
        buckets = self._series(instrument, "_bucket")
        return Panel(
            visualization="heatmap",
            title=_titled(instrument, ", by bucket"),
            description=f"Observations by bucket. {description_of(instrument)}",
            unit=unit_of(instrument),
            queries=(
                Query(
                    expr=sum_by(("le",), f"increase({buckets}[{RATE_INTERVAL}])"),
                    legend="{{le}}",
                    exemplar=True,
                ),
            ),
        )

    def _counter(self, instrument: Instrument[...]) -> Panel:
        labels = self._labels(_grouping_labels(instrument))
        series = self._series(instrument, instrument.traits.count_suffix)
        return Panel(
            visualization="timeseries",
            title=_titled(instrument, _PER_SECOND[instrument.traits.has_buckets]),
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

    def _gauge(self, repo: type[MetaRepo], instrument: Instrument[...]) -> Panel:
        names = tuple(label.name for label in instrument.label_fields) or (SERVICE,)
        labels = self._labels(names)
        series = self._series(instrument, "")
        return Panel(
            visualization="timeseries",
            title=_titled(instrument, ""),
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

    def _labels(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return (*names, *self.scope.identity.places)

    def _series(self, instrument: Instrument[...], suffix: str, *more: str) -> str:
        return selector(instrument.prometheus_name + suffix, (*self.scope.service_matchers, *more))


_PER_SECOND: Final = {True: ", observations per second", False: " per second"}
"""The kind of a counter's panel, by whether the counter is the count of a histogram."""


def _titled(instrument: Instrument[...], kind: str, width: int = Panel.width) -> str:
    """Return the instrument's title with the kind of its panel, shortened where it has no room."""
    name = title_of(instrument.name)
    short = name.rpartition(" ")[0] if name.endswith(_PLAIN_WORDS) else name
    titles = (f"{name}{kind}", f"{short}{kind}", f"{name}{_SHORT[kind]}", f"{short}{_SHORT[kind]}")
    return next((title for title in titles if fits(title, width)), titles[-1])


_PLAIN_WORDS: Final = ("duration", "total")
_SHORT: Final = {
    ", quantiles": ", p50-p99",
    ", by bucket": ", heat",
    ", observations per second": ", count/s",
    " per second": "/s",
    "": "",
}


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


def judged(
    slos: Iterable[Slo], instrument: Instrument[...]
) -> tuple[Selector, tuple[ThresholdStep, ...]]:
    """Return the series of a histogram that an SLO has a bound for, with the bound as thresholds.

    These are all series without thresholds if no SLO has a bound.
    """
    for part in chain.from_iterable(slo.sli.parts for slo in slos):
        selected = part.bad_events.selector
        if selected.instrument == instrument and part.bad_values:
            return selected, sli_thresholds(part)
    return Selector(instrument), ()


def _thresholds(repo: type[MetaRepo], instrument: Instrument[...]) -> tuple[ThresholdStep, ...]:
    """Return the bound of an SLO or alert that selects all series of the instrument, if any."""
    return next(
        (steps for selector, steps in _bounds(repo) if steps and selector == Selector(instrument)),
        (),
    )


def _bounds(repo: type[MetaRepo]) -> Iterator[tuple[Selector, tuple[ThresholdStep, ...]]]:
    for part in chain.from_iterable(slo.sli.parts for slo in repo.slos.values()):
        yield part.bad_events.selector, sli_thresholds(part)
    for alert in repo.alerts.values():
        if isinstance(alert.measure, Latest):
            yield alert.measure.source, alert_thresholds(alert)


def sli_thresholds(sli: SimpleSli) -> tuple[ThresholdStep, ...]:
    """Return thresholds with red for the bad values of an SLI; none if it compares no values."""
    ranges = [_red_if(bad) for bad in sorted(sli.bad_values, key=attrgetter("bound"))]
    return (*ranges[0], *(step for steps in ranges[1:] for step in steps[1:])) if ranges else ()


def alert_thresholds(alert: Alert) -> tuple[ThresholdStep, ...]:
    """Return thresholds with red for the values that fire an alert."""
    return _red_if(alert.comparison)


def _red_if(comparison: Comparison) -> tuple[ThresholdStep, ...]:
    return (below if comparison.operator in ("<", "<=") else above)(comparison.bound)
