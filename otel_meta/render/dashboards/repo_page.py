"""The dashboard of a meta-repository: SLOs, alerts and all instruments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from otel_meta.model import MetaRepo, Slo
from otel_meta.model.kind_traits import PrometheusType
from otel_meta.model.self_metrics import FAULTS
from otel_meta.render.links import repo_dashboard
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import equals, selector, sum_by

from . import variables
from .dashboard import Page
from .declared_panels import alert_panel
from .grafana_units import NUMBER, RATIO
from .instrument_panels import RATE_INTERVAL, panels_of, title_of
from .layout import COLUMNS
from .panel import DataLink, Panel, Query, Section, below, legend_of
from .slo_queries import SloQueries
from .slo_style import slo_url
from .slo_time_series import budget_panel, burn_rate_panel

_INSTRUMENT_SECTIONS: Final[Mapping[PrometheusType, str]] = {
    "histogram": "Histograms",
    "counter": "Counters",
    "gauge": "Gauges",
}
"""The section of each metric type, in the order of the dashboard."""
_HALF_WIDTH: Final = COLUMNS // 2


def repo_page(repo: type[MetaRepo]) -> Page:
    """Return the dashboard of a meta-repository."""
    return Page(
        uid=repo_dashboard(repo.name),
        title=repo.name,
        description=f"{repo.description} Owner: {repo.owner}.",
        source=f"{repo.__module__}.{repo.__qualname__}",
        variables=(
            variables.datasource(),
            variables.service_of(repo.name),
            *variables.trace_stores(),
        ),
        sections=_sections(repo),
        time_from="now-6h",
    )


def _sections(repo: type[MetaRepo]) -> Iterator[Section]:
    yield Section(title="SLOs", panels=tuple(_slo_panels(repo)))
    yield Section(
        title="Alerts", panels=tuple(alert_panel(repo, alert) for alert in repo.alerts.values())
    )
    for prometheus_type, title in _INSTRUMENT_SECTIONS.items():
        yield Section(title=title, panels=tuple(_instrument_panels(repo, prometheus_type)))
    yield Section(title="Telemetry health", panels=tuple(_telemetry_panels(repo)))


def _instrument_panels(repo: type[MetaRepo], prometheus_type: PrometheusType) -> Iterator[Panel]:
    for instrument in repo.instruments.values():
        if instrument.traits.prometheus_type == prometheus_type:
            yield from panels_of(repo, instrument)


def _slo_panels(repo: type[MetaRepo]) -> Iterator[Panel]:
    namespace = (equals(series_names.NAMESPACE, repo.name),)
    slos = tuple(repo.slos.values())
    if not slos:
        return
    queries = SloQueries(
        (*namespace, variables.SERVICE_MATCHER), namespace, (slo.period for slo in slos)
    )
    for slo in slos:
        yield _slo_panel(queries, slo, COLUMNS // min(len(slos), 6))
    yield budget_panel(queries)
    yield burn_rate_panel(queries)


def _slo_panel(queries: SloQueries, slo: Slo, width: int) -> Panel:
    return Panel(
        visualization="stat",
        title=f"{title_of(slo.name)}: {slo.objective} over {slo.period}",
        description=f"Share of good events over {slo.period}. {slo.why}",
        unit=RATIO,
        queries=(
            Query(
                expr=queries.series(series_names.SLI, equals(series_names.SLO, slo.name)),
                legend=legend_of((series_names.SERVICE,)),
            ),
        ),
        width=width,
        height=5,
        thresholds=below(float(slo.objective.ratio)),
        links=(DataLink("Show this SLO", slo_url(slo.name)),),
    )


def _telemetry_panels(repo: type[MetaRepo]) -> Iterator[Panel]:
    matchers = (equals(series_names.NAMESPACE, repo.name), variables.SERVICE_MATCHER)
    yield Panel(
        visualization="timeseries",
        title="Processes of each service",
        description="Number of processes that report; no data means that no process reports.",
        unit=NUMBER,
        queries=(
            Query(
                expr=sum_by((series_names.SERVICE,), selector(series_names.UP, matchers)),
                legend=legend_of((series_names.SERVICE,)),
            ),
        ),
        width=_HALF_WIDTH,
        min=0,
    )
    faults = sum_by(
        ("source", "reason"),
        f"rate({selector(FAULTS.prometheus_name, matchers)}[{RATE_INTERVAL}])",
    )
    yield Panel(
        visualization="timeseries",
        title="Telemetry faults per second",
        description="Faults in recording, exporting and logging. None of them was raised in the "
        "application.",
        unit="cps",
        queries=(Query(expr=faults, legend=legend_of(("source", "reason"))),),
        width=_HALF_WIDTH,
        min=0,
        no_value="no faults",
    )
