"""The dashboard of business metrics: one row per meta-repository."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog, Counter, MetaRepo, Selector
from otel_meta.render.links import BUSINESS_DASHBOARD
from otel_meta.render.rules.promql_builder import series_of

from . import variables
from .dashboard import Page
from .declared_panels import recording_panel
from .grafana_units import unit_of
from .instrument_panels import description_of, title_of
from .layout import COLUMNS
from .panel import GREEN, Panel, Query, Section, ThresholdStep

_MOST_COUNTERS: Final = 4


def business_page(catalog: Catalog) -> Page:
    """Return the dashboard of all recordings and key counters."""
    return Page(
        uid=BUSINESS_DASHBOARD,
        title="Business Metrics",
        description="Key counters and recordings of each meta-repository.",
        source="the catalogue's recordings and counters",
        variables=(variables.datasource(),),
        sections=tuple(Section(title=repo.name, panels=tuple(_row(repo))) for repo in catalog),
        time_from="now-24h",
    )


def key_counters(repo: type[MetaRepo]) -> tuple[Counter[...], ...]:
    """Return at most four counters; those that count the total events of SLOs come first."""
    totals = [slo.sli.total_events.selector.instrument for slo in repo.slos.values()]
    ordered = dict.fromkeys((*totals, *repo.instruments.values()))
    counters = (instrument for instrument in ordered if isinstance(instrument, Counter))
    return tuple(counters)[:_MOST_COUNTERS]


def _row(repo: type[MetaRepo]) -> Iterator[Panel]:
    counters = key_counters(repo)
    for counter in counters:
        yield _count_panel(repo, counter, COLUMNS // len(counters))
    yield from (recording_panel(repo, recording) for recording in repo.recordings.values())


def _count_panel(repo: type[MetaRepo], counter: Counter[...], width: int) -> Panel:
    series = series_of(Selector(counter), repo.name)
    return Panel(
        visualization="stat",
        title=title_of(counter.name),
        description=f"{description_of(counter)} Total over the dashboard's time range.",
        unit=unit_of(counter),
        queries=(Query(expr=f"sum(increase({series}[$__range]))", instant=True),),
        width=width,
        height=4,
        thresholds=(ThresholdStep(None, GREEN),),
    )
