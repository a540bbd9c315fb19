"""The dashboard of business metrics: key counters, and the recordings of each meta-repository."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog, Counter, MetaRepo
from otel_meta.render.links import BUSINESS_DASHBOARD
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import equals, selector
from otel_meta.render.rules.series_names import NAMESPACE

from . import variables
from .declared_panels import recording_panel
from .deployments import deployments
from .grafana.dashboard import Page
from .grafana.layout import COLUMNS
from .grafana.panel import INK, NO_DATA_MAPPING, Panel, Query, Section, ThresholdStep
from .grafana.titles import title_of
from .grafana_units import NUMBER, unit_of
from .instrument_panels import description_of
from .scope import Scope, chosen

_MOST_COUNTERS: Final = 4


def business_page(catalog: Catalog, options: Options) -> Page:
    """Return the dashboard of all recordings and key counters."""
    scope = Scope(options.identity)
    return Page(
        uid=BUSINESS_DASHBOARD,
        title="Business Metrics",
        description="Key counters and recordings of each meta-repository.",
        source="the catalogue's recordings and counters",
        variables=(variables.datasource(), *variables.service_variables(scope)),
        annotations=(deployments(scope),),
        sections=_sections(catalog, scope),
        time_from="now-24h",
    )


def key_counters(repo: type[MetaRepo]) -> tuple[Counter[...], ...]:
    """Return at most four counters; those that count the total events of SLOs come first."""
    parts = (part for slo in repo.slos.values() for part in slo.sli.parts)
    totals = [part.total_events.selector.instrument for part in parts]
    ordered = dict.fromkeys((*totals, *repo.instruments.values()))
    counters = (instrument for instrument in ordered if isinstance(instrument, Counter))
    return tuple(counters)[:_MOST_COUNTERS]


def _sections(catalog: Catalog, scope: Scope) -> Iterator[Section]:
    """Yield the key counters, and a closed row of the recordings of each meta-repository."""
    totals = tuple(_totals_panel(repo, scope) for repo in catalog if key_counters(repo))
    yield Section(title="Totals over the time range", panels=totals)
    for repo in catalog:
        panels = (recording_panel(repo, item, scope) for item in repo.recordings.values())
        yield Section(title=repo.name, panels=tuple(panels), collapsed=True)


def _totals_panel(repo: type[MetaRepo], scope: Scope) -> Panel:
    counters = key_counters(repo)
    return Panel(
        visualization="stat",
        title=repo.name,
        description="\n".join(f"- {description_of(counter)}" for counter in counters),
        unit=NUMBER,
        queries=tuple(_total(repo, counter, scope) for counter in counters),
        width=COLUMNS // 3,
        height=6,
        thresholds=(ThresholdStep(None, INK),),
        mappings=NO_DATA_MAPPING,
    )


def _total(repo: type[MetaRepo], counter: Counter[...], scope: Scope) -> Query:
    matchers = (equals(NAMESPACE, repo.name), chosen(NAMESPACE), *scope.own_matchers)
    series = selector(counter.prometheus_name, matchers)
    return Query(
        expr=f"sum(increase({series}[$__range]))",
        instant=True,
        legend=title_of(counter.name),
        unit=unit_of(counter),
    )
