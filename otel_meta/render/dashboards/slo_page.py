"""The dashboard of all SLOs: their states, error budgets, burn rates, events and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from otel_meta.model import Catalog, Histogram, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.overview import LOWEST_COMPLIANCE, MOST_VIOLATIONS
from otel_meta.render.rules.promql_builder import selector, sum_by
from otel_meta.render.rules.series_names import NAMESPACE
from otel_meta.status.slo_links import SLO_DASHBOARD

from . import variables
from .deployments import deployments
from .grafana.dashboard import Page
from .grafana.panel import Panel, Query, Section, above, below
from .grafana_units import NUMBER, RATIO
from .instrument_panels import InstrumentPanels, judged
from .scope import Scope
from .slo_queries import SloQueries
from .slo_stats import stat_panels
from .slo_tables import burn_rate_table, firing_table, slo_table
from .slo_time_series import (
    alert_timeline,
    budget_panel,
    burn_rate_panel,
    event_panels,
    sli_panel,
)


def slo_page(catalog: Catalog, options: Options) -> Page:
    """Return the dashboard of all SLOs of a catalogue."""
    slos = tuple(slo for repo in catalog for slo in repo.slos.values())
    scope = Scope(options.identity)
    return Page(
        uid=SLO_DASHBOARD,
        title="SLO Tracking",
        description="Which SLOs are met, how much error budget is left, and how fast it burns.",
        source="the catalogue's SLOs",
        variables=(
            variables.datasource(),
            *variables.service_variables(scope),
            variables.slo_variable(scope),
            variables.trace_source(options.traces),
        ),
        annotations=(deployments(scope),),
        sections=_sections(slos, InstrumentPanels(scope, options.traces)) if slos else (),
        time_from="now-7d",
    )


def _sections(slos: tuple[Slo, ...], instruments: InstrumentPanels) -> Iterator[Section]:
    scope = instruments.scope
    queries = SloQueries(scope, (slo.period for slo in slos))
    lookbacks = sorted({lookback for slo in slos for lookback in slo.burn_lookbacks()})
    yield Section(title="SLOs met", panels=(*stat_panels(queries), slo_table(queries, slos)))
    yield Section(title="Alerts", panels=(firing_table(queries), alert_timeline(queries)))
    yield Section(
        title="Error budgets and burn rates",
        panels=(
            budget_panel(queries),
            burn_rate_panel(queries),
            burn_rate_table(queries, lookbacks, len(slos)),
        ),
    )
    yield Section(title="Events", panels=(sli_panel(queries, slos), *event_panels(queries)))
    yield Section(
        title="SLOs of each service", panels=(_compliance_panel(scope), _violations_panel(scope))
    )
    yield Section(
        title="Histograms behind the SLOs, with exemplars",
        panels=tuple(_histogram_panels(slos, instruments)),
        collapsed=True,
    )


def _compliance_panel(scope: Scope) -> Panel:
    return Panel(
        visualization="timeseries",
        title="Share of SLOs met",
        description="Share of a service's SLOs that are met, among its SLOs with data.",
        unit=RATIO,
        queries=(_service_query(series_names.COMPLIANCE, scope),),
        width=12,
        thresholds=below(LOWEST_COMPLIANCE),
        min=0,
        max=1,
    )


def _violations_panel(scope: Scope) -> Panel:
    return Panel(
        visualization="timeseries",
        title="SLOs not met within 24 hours",
        description="Number of a service's SLOs that were not met at some time in 24 hours.",
        unit=NUMBER,
        queries=(_service_query(series_names.VIOLATIONS, scope),),
        width=12,
        thresholds=above(MOST_VIOLATIONS + 1),
        min=0,
    )


def _service_query(name: str, scope: Scope) -> Query:
    labels = (NAMESPACE, *scope.service_labels)
    series = sum_by(labels, selector(name, scope.service_matchers), "max")
    return Query(expr=series, legend=scope.service_legend)


def _histogram_panels(slos: tuple[Slo, ...], instruments: InstrumentPanels) -> Iterator[Panel]:
    selected = chain.from_iterable(slo.sli.selectors() for slo in slos)
    for instrument in dict.fromkeys(each.instrument for each in selected):
        if isinstance(instrument, Histogram):
            yield instruments.quantiles(*judged(slos, instrument), width=12)
