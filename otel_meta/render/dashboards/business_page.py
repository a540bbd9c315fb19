"""The page of numbers that are worth recording: a row a meta-repository."""

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
from .instrument_panels import explained, words_of
from .layout import COLUMNS
from .panel import GREEN, Panel, Query, Section, Step

_MOST_COUNTERS: Final = 4


def business_page(catalog: Catalog) -> Page:
    """The page of every meta-repository's recordings and counters."""
    return Page(
        uid=BUSINESS_DASHBOARD,
        title="Business Metrics",
        description="What each meta-repository achieves.",
        source="the catalogue's recordings and counters",
        variables=(variables.datasource(),),
        sections=tuple(Section(title=repo.name, panels=tuple(_row(repo))) for repo in catalog),
        since="now-24h",
    )


def telling_counters(repo: type[MetaRepo]) -> tuple[Counter[...], ...]:
    """Counters that SLOs divide by come first: somebody promised something about them."""
    promised = [slo.sli.total_events.selector.instrument for slo in repo.slos.values()]
    ordered = dict.fromkeys((*promised, *repo.instruments.values()))
    counters = (instrument for instrument in ordered if isinstance(instrument, Counter))
    return tuple(counters)[:_MOST_COUNTERS]


def _row(repo: type[MetaRepo]) -> Iterator[Panel]:
    counters = telling_counters(repo)
    for counter in counters:
        yield _count(repo, counter, COLUMNS // len(counters))
    yield from (recording_panel(repo, recording) for recording in repo.recordings.values())


def _count(repo: type[MetaRepo], counter: Counter[...], width: int) -> Panel:
    series = series_of(Selector(counter), repo.name)
    return Panel(
        look="stat",
        title=words_of(counter.name),
        description=f"{explained(counter)} Counted over the time that is shown.",
        unit=unit_of(counter),
        queries=(Query(expr=f"sum(increase({series}[$__range]))", instant=True),),
        width=width,
        height=4,
        steps=(Step(None, GREEN),),
    )
