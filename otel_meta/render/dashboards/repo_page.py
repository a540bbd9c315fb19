"""The page of one meta-repository: its promises, its alerts, and every instrument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from otel_meta.model import MetaRepo, Slo
from otel_meta.model.kind_traits import PrometheusType
from otel_meta.render.links import repo_dashboard
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.promql_builder import equals, selector, sum_by

from . import slo_time_series as slo_series
from . import variables
from .dashboard import Page
from .declared_panels import alert_panel
from .grafana_units import NUMBER, RATIO
from .instrument_panels import RATE_INTERVAL, panels_of, words_of
from .layout import COLUMNS
from .panel import Link, Panel, Query, Section, below, legend_of
from .slo_queries import Questions
from .slo_style import tracking

_BY_TYPE: Final[Mapping[PrometheusType, str]] = {
    "histogram": "Histograms",
    "counter": "Counters",
    "gauge": "Gauges",
}
_WIDE: Final = 12


def repo_page(repo: type[MetaRepo]) -> Page:
    """The page of a meta-repository."""
    return Page(
        uid=repo_dashboard(repo.name),
        title=repo.name,
        description=f"{repo.description} Owner: {repo.owner}.",
        source=f"{repo.__module__}.{repo.__qualname__}",
        variables=(
            variables.datasource(),
            variables.service_of(repo.name),
            *variables.traces(),
        ),
        sections=_sections(repo),
        since="now-6h",
    )


def _sections(repo: type[MetaRepo]) -> Iterator[Section]:
    yield Section(title="Promises", panels=tuple(_promises(repo)))
    yield Section(
        title="Alerts", panels=tuple(alert_panel(repo, alert) for alert in repo.alerts.values())
    )
    for prometheus_type, title in _BY_TYPE.items():
        yield Section(title=title, panels=tuple(_instruments(repo, prometheus_type)))
    yield Section(title="Telemetry itself", panels=tuple(_telemetry(repo)))


def _instruments(repo: type[MetaRepo], prometheus_type: PrometheusType) -> Iterator[Panel]:
    for instrument in repo.instruments.values():
        if instrument.traits.prometheus_type == prometheus_type:
            yield from panels_of(repo, instrument)


def _promises(repo: type[MetaRepo]) -> Iterator[Panel]:
    mine = (equals(series.NAMESPACE, repo.name),)
    slos = tuple(repo.slos.values())
    if not slos:
        return
    ask = Questions((*mine, variables.OF_SERVICE), mine, (slo.period for slo in slos))
    for slo in slos:
        yield _promise(ask, slo, COLUMNS // min(len(slos), 6))
    yield slo_series.budget(ask)
    yield slo_series.burn(ask)


def _promise(ask: Questions, slo: Slo, width: int) -> Panel:
    return Panel(
        look="stat",
        title=f"{words_of(slo.name)}: {slo.objective} over {slo.period}",
        description=f"Share of good events over {slo.period}. {slo.why}",
        unit=RATIO,
        queries=(
            Query(
                expr=ask.of(series.SLI, equals(series.SLO, slo.name)),
                legend=legend_of((series.SERVICE,)),
            ),
        ),
        width=width,
        height=5,
        steps=below(float(slo.objective.ratio)),
        links=(Link("Track this SLO", tracking(slo.name)),),
    )


def _telemetry(repo: type[MetaRepo]) -> Iterator[Panel]:
    chosen = (equals(series.NAMESPACE, repo.name), variables.OF_SERVICE)
    yield Panel(
        look="timeseries",
        title="Services that report",
        description="How many processes of each service are seen; absent is dead.",
        unit=NUMBER,
        queries=(
            Query(
                expr=sum_by((series.SERVICE,), selector(series.UP, chosen)),
                legend=legend_of((series.SERVICE,)),
            ),
        ),
        width=_WIDE,
        lowest=0,
    )
    faults = sum_by(
        ("source", "reason"),
        f"rate({selector('otel_meta_faults_total', chosen)}[{RATE_INTERVAL}])",
    )
    yield Panel(
        look="timeseries",
        title="Faults of telemetry, a second",
        description="Faults in recording, exporting and logging, none of which reached the "
        "application.",
        unit="cps",
        queries=(Query(expr=faults, legend=legend_of(("source", "reason"))),),
        width=_WIDE,
        lowest=0,
        empty="none",
    )
