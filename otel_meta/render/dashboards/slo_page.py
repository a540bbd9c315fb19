"""The dashboard of all SLOs: their states, error budgets, burn rates, events and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from otel_meta.model import Catalog, Histogram, Instrument, Slo
from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.rules import series_names
from otel_meta.render.rules.overview import LOWEST_COMPLIANCE, MOST_VIOLATIONS
from otel_meta.render.rules.promql_builder import selector

from . import variables
from .dashboard import Page
from .grafana_units import NUMBER, RATIO
from .instrument_panels import quantile_panel, sli_thresholds
from .panel import Panel, Query, Section, ThresholdStep, above, below, legend_of
from .slo_queries import SloQueries
from .slo_stats import stat_panels
from .slo_tables import burn_rate_table, slo_table
from .slo_time_series import (
    alert_timeline,
    budget_panel,
    burn_rate_panel,
    event_panels,
    hours_left_panel,
    sli_panel,
)

_SERVICE_MATCHERS: Final = (variables.NAMESPACE_MATCHER, variables.SERVICE_MATCHER)
_DECLARATION_MATCHERS: Final = (variables.NAMESPACE_MATCHER, variables.SLO_MATCHER)


def slo_page(catalog: Catalog) -> Page:
    """Return the dashboard of all SLOs of a catalogue."""
    slos = tuple(slo for repo in catalog for slo in repo.slos.values())
    return Page(
        uid=SLO_DASHBOARD,
        title="SLO Tracking",
        description="Which SLOs are met, how much error budget is left, and how fast it burns.",
        source="the catalogue's SLOs",
        variables=(variables.datasource(), *variables.slo_variables(), *variables.trace_stores()),
        sections=_sections(slos) if slos else (),
        time_from="now-7d",
    )


def _sections(slos: tuple[Slo, ...]) -> Iterator[Section]:
    queries = SloQueries(
        (*_SERVICE_MATCHERS, variables.SLO_MATCHER),
        _DECLARATION_MATCHERS,
        (slo.period for slo in slos),
    )
    lookbacks = sorted({lookback for slo in slos for lookback in slo.burn_lookbacks()})
    yield Section(title="SLOs met", panels=(*stat_panels(queries), slo_table(queries)))
    yield Section(
        title="Error budgets and burn rates",
        panels=(
            budget_panel(queries),
            hours_left_panel(queries),
            burn_rate_panel(queries),
            burn_rate_table(queries, lookbacks),
        ),
    )
    yield Section(
        title="Events and alerts",
        panels=(sli_panel(queries), *event_panels(queries), alert_timeline(queries)),
    )
    yield Section(title="SLOs of each service", panels=(_compliance_panel(), _violations_panel()))
    yield Section(
        title="Histograms behind the SLOs, with exemplars",
        panels=tuple(_histogram_panels(slos)),
        collapsed=True,
    )


def _compliance_panel() -> Panel:
    return Panel(
        visualization="timeseries",
        title="Share of SLOs met",
        description="Share of a service's SLOs that are met, among its SLOs with data.",
        unit=RATIO,
        queries=(_service_query(series_names.COMPLIANCE),),
        width=12,
        thresholds=below(LOWEST_COMPLIANCE),
        min=0,
        max=1,
    )


def _violations_panel() -> Panel:
    return Panel(
        visualization="timeseries",
        title="SLOs not met within 24 hours",
        description="Number of a service's SLOs that were not met at some time in 24 hours.",
        unit=NUMBER,
        queries=(_service_query(series_names.VIOLATIONS),),
        width=12,
        thresholds=above(MOST_VIOLATIONS + 1),
        min=0,
    )


def _service_query(name: str) -> Query:
    return Query(expr=selector(name, _SERVICE_MATCHERS), legend=legend_of((series_names.SERVICE,)))


def _histogram_panels(slos: tuple[Slo, ...]) -> Iterator[Panel]:
    for histogram, thresholds in _histograms(slos).items():
        buckets = selector(f"{histogram.prometheus_name}_bucket", _SERVICE_MATCHERS)
        yield quantile_panel(histogram, buckets, thresholds, width=12)


def _histograms(slos: tuple[Slo, ...]) -> Mapping[Instrument[...], tuple[ThresholdStep, ...]]:
    """Return the histograms of all SLIs, each with the thresholds of its first SLI with bounds."""
    found: dict[Instrument[...], tuple[ThresholdStep, ...]] = {}
    for slo in slos:
        thresholds = sli_thresholds(slo.sli)
        for selected in slo.sli.selectors():
            if isinstance(selected.instrument, Histogram):
                found[selected.instrument] = found.get(selected.instrument) or thresholds
    return found
