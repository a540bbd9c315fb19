"""The page of all SLOs: are we keeping our promises, and how long until we do not?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_meta.model import Catalog, Histogram, Instrument, Slo
from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.overview import LOWEST_COMPLIANCE, MOST_VIOLATIONS
from otel_meta.render.rules.promql_builder import selector

from . import slo_time_series as slo_series
from . import variables
from .dashboard import Page
from .grafana_units import NUMBER, RATIO
from .instrument_panels import quantiles, sli_steps
from .panel import Panel, Query, Section, Step, above, below, legend_of
from .slo_queries import Questions
from .slo_stats import numbers
from .slo_tables import burn_by_window, overview

_OF_SERVICES = (variables.OF_NAMESPACE, variables.OF_SERVICE)
_OF_DECLARATIONS = (variables.OF_NAMESPACE, variables.OF_SLO)


def slo_page(catalog: Catalog) -> Page:
    """The page of every SLO in a catalogue."""
    slos = tuple(slo for repo in catalog for slo in repo.slos.values())
    return Page(
        uid=SLO_DASHBOARD,
        title="SLO Tracking",
        description="Are we keeping our promises, and how long until we do not?",
        source="the catalogue's SLOs",
        variables=(variables.datasource(), *variables.slo_choices(), *variables.traces()),
        sections=_sections(slos) if slos else (),
        since="now-7d",
    )


def _sections(slos: tuple[Slo, ...]) -> Iterator[Section]:
    ask = Questions(variables.CHOSEN, _OF_DECLARATIONS, (slo.period for slo in slos))
    spans = sorted({span for slo in slos for span in slo.burn_lookbacks()})
    yield Section(title="Are we keeping our promises?", panels=(*numbers(ask), overview(ask)))
    yield Section(
        title="How long until we do not?",
        panels=(
            slo_series.budget(ask),
            slo_series.hours_left(ask),
            slo_series.burn(ask),
            burn_by_window(ask, spans),
        ),
    )
    yield Section(
        title="What happens",
        panels=(slo_series.indicator(ask), *slo_series.events(ask), slo_series.alerts(ask)),
    )
    yield Section(title="Services over all their SLOs", panels=(_kept(), _broken()))
    yield Section(
        title="Values behind the promises, with exemplars",
        panels=tuple(_values(slos)),
        folded=True,
    )


def _kept() -> Panel:
    return Panel(
        look="timeseries",
        title="Promises kept",
        description="Share of a service's SLOs that are kept, among those with data.",
        unit=RATIO,
        queries=(_of_services(series.COMPLIANCE),),
        width=12,
        steps=below(LOWEST_COMPLIANCE),
        lowest=0,
        highest=1,
    )


def _broken() -> Panel:
    return Panel(
        look="timeseries",
        title="Promises broken within a day",
        description="How many of a service's SLOs were broken at some time in 24 hours.",
        unit=NUMBER,
        queries=(_of_services(series.VIOLATIONS),),
        width=12,
        steps=above(MOST_VIOLATIONS + 1),
        lowest=0,
    )


def _of_services(name: str) -> Query:
    return Query(expr=selector(name, _OF_SERVICES), legend=legend_of((series.SERVICE,)))


def _values(slos: tuple[Slo, ...]) -> Iterator[Panel]:
    for histogram, steps in _histograms(slos).items():
        buckets = selector(f"{histogram.prometheus_name}_bucket", _OF_SERVICES)
        yield quantiles(histogram, buckets, steps, width=12)


def _histograms(slos: tuple[Slo, ...]) -> Mapping[Instrument[...], tuple[Step, ...]]:
    """Each histogram that SLOs stand on, whoever shares it, and a bound that is promised."""
    found: dict[Instrument[...], tuple[Step, ...]] = {}
    for slo in slos:
        bound = sli_steps(slo.sli)
        for match in slo.sli.selectors():
            if isinstance(match.instrument, Histogram):
                found[match.instrument] = found.get(match.instrument) or bound
    return found
