"""The dashboard of a meta-repository: SLOs, alerts and all instruments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from otel_meta.model import MetaRepo, Slo
from otel_meta.model.kind_traits import PrometheusType
from otel_meta.model.self_metrics import FAULTS
from otel_meta.render.links import repo_dashboard
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import selector, sum_by

from . import variables
from .declared_panels import alert_panel
from .deployments import deployments
from .grafana.dashboard import Page
from .grafana.layout import COLUMNS
from .grafana.panel import Panel, Query, Section, legend_of
from .grafana_units import NUMBER
from .instrument_panels import RATE_INTERVAL, InstrumentPanels
from .scope import Scope
from .slo_queries import SloQueries
from .slo_tables import firing_table, slo_table
from .slo_time_series import alert_timeline, budget_panel, burn_rate_panel

_INSTRUMENT_SECTIONS: Final[Mapping[PrometheusType, str]] = {
    "histogram": "Histograms",
    "counter": "Counters",
    "gauge": "Gauges",
}
"""The section of each metric type, in the order of the dashboard."""
_HALF_WIDTH: Final = COLUMNS // 2


def repo_page(repo: type[MetaRepo], options: Options) -> Page:
    """Return the dashboard of a meta-repository."""
    scope = Scope(options.identity, repo.name)
    return Page(
        uid=repo_dashboard(repo.name),
        title=repo.name,
        description=f"{repo.description} Owner: {repo.owner}.",
        source=f"{repo.__module__}.{repo.__qualname__}",
        variables=(
            variables.datasource(),
            *variables.service_variables(scope),
            variables.trace_source(options.traces),
        ),
        annotations=(deployments(scope),),
        sections=_sections(repo, InstrumentPanels(scope, options.traces), options),
        time_from="now-6h",
    )


def _sections(
    repo: type[MetaRepo], instruments: InstrumentPanels, options: Options
) -> Iterator[Section]:
    scope = instruments.scope
    slos = tuple(repo.slos.values())
    queries = SloQueries(scope, (slo.period for slo in slos))
    if slos:
        yield Section(title="SLOs", panels=tuple(_slo_panels(queries, slos)))
    yield Section(title="Alerts", panels=tuple(_alert_panels(repo, queries, options)))
    yield Section(title="Telemetry health", panels=tuple(_telemetry_panels(scope)))
    for prometheus_type, title in _INSTRUMENT_SECTIONS.items():
        yield Section(
            title=title,
            panels=tuple(_instrument_panels(repo, prometheus_type, instruments)),
            collapsed=True,
        )


def _instrument_panels(
    repo: type[MetaRepo], prometheus_type: PrometheusType, instruments: InstrumentPanels
) -> Iterator[Panel]:
    for instrument in repo.instruments.values():
        if instrument.traits.prometheus_type == prometheus_type:
            yield from instruments.of(repo, instrument)


def _slo_panels(queries: SloQueries, slos: tuple[Slo, ...]) -> Iterator[Panel]:
    table = slo_table(queries, slos)
    reasons = "\n".join(
        f"- {slo.name}: {slo.objective} over {slo.period}. {slo.why}" for slo in slos
    )
    yield replace(table, description=f"{table.description}\n\n{reasons}")
    yield budget_panel(queries)
    yield burn_rate_panel(queries)


def _alert_panels(repo: type[MetaRepo], queries: SloQueries, options: Options) -> Iterator[Panel]:
    if not repo.slos and not repo.alerts:
        return
    yield firing_table(queries)
    yield alert_timeline(queries)
    yield from (alert_panel(repo, alert, options) for alert in repo.alerts.values())


def _telemetry_panels(scope: Scope) -> Iterator[Panel]:
    up = selector(series_names.UP, scope.service_matchers)
    yield Panel(
        visualization="timeseries",
        title="Processes of each service",
        description="Number of processes that report; no data means that no process reports.",
        unit=NUMBER,
        queries=(Query(expr=sum_by(scope.service_labels, up), legend=scope.service_legend),),
        width=_HALF_WIDTH,
        min=0,
    )
    labels = ("source", "reason")
    series = selector(FAULTS.prometheus_name, scope.service_matchers)
    yield Panel(
        visualization="timeseries",
        title="Telemetry faults per second",
        description="Faults in recording, exporting and logging. None of them was raised in the "
        "application. No data means no faults while processes report.",
        unit="cps",
        queries=(
            Query(
                expr=sum_by(labels, f"rate({series}[{RATE_INTERVAL}])"), legend=legend_of(labels)
            ),
        ),
        width=_HALF_WIDTH,
        min=0,
    )
