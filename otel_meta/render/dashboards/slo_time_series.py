"""Panels of SLOs over time: error budgets, burn rates, events and alerts."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_MINUTES, INCREASE_WINDOW

from .grafana_units import NUMBER, RATIO
from .panel import Panel, Query, above, below, legend_of
from .slo_queries import SloQueries
from .slo_style import ALERT_STATES, NEVER_EXHAUSTED, OBJECTIVE_LEGEND, SLO_LEGEND


def budget_panel(queries: SloQueries) -> Panel:
    """Return the panel of each error budget left."""
    return Panel(
        visualization="timeseries",
        title="Error budget left",
        description="Share of the error budget left over the SLO's period; below 0 % the SLO is "
        "not met.",
        unit=RATIO,
        queries=(Query(expr=queries.series(series_names.BUDGET_REMAINING), legend=SLO_LEGEND),),
        width=12,
        thresholds=below(0),
        max=1,
    )


def burn_rate_panel(queries: SloQueries) -> Panel:
    """Return the panel of each burn rate over an hour."""
    return Panel(
        visualization="timeseries",
        title="Burn rate, 1h",
        description="Burn rate of the error budget over the last hour. At 1 a full budget lasts "
        "exactly one period, at 2 half a period.",
        unit=NUMBER,
        queries=(Query(expr=queries.series(series_names.BURN_RATE_1H), legend=SLO_LEGEND),),
        width=12,
        thresholds=above(1),
        min=0,
    )


def hours_left_panel(queries: SloQueries) -> Panel:
    """Return the panel of the time until each error budget is exhausted."""
    return Panel(
        visualization="timeseries",
        title="Time until the error budget is exhausted",
        description="Error budget left, divided by its burn rate over the last hour. No data "
        "while the burn rate is at most 1. Old errors that leave the period are not considered, "
        "so the budget may last longer.",
        unit="h",
        queries=(Query(expr=queries.hours_left(), legend=SLO_LEGEND),),
        width=12,
        min=0,
        no_value=NEVER_EXHAUSTED,
    )


def sli_panel(queries: SloQueries) -> Panel:
    """Return the panel of each SLI and its objective."""
    return Panel(
        visualization="timeseries",
        title="Good events and objective",
        description="Share of good events over the SLO's period, and the objective.",
        unit=RATIO,
        queries=(
            Query(expr=queries.series(series_names.SLI), legend=SLO_LEGEND),
            Query(expr=queries.declaration(series_names.OBJECTIVE), legend=OBJECTIVE_LEGEND),
        ),
        max=1,
    )


def event_panels(queries: SloQueries) -> Iterator[Panel]:
    """Return the panels of all events and of bad events."""
    for title, name in (("Events", series_names.TOTAL), ("Bad events", series_names.BAD)):
        yield Panel(
            visualization="timeseries",
            title=f"{title} per second",
            description=f"{title} of each SLO over {INCREASE_MINUTES} minutes. "
            "An event of a time-slice SLI is a second of time; an event of a forecast is a dollar.",
            unit="eps",
            queries=(
                Query(
                    expr=f"{queries.series(name)} / {INCREASE_WINDOW.seconds}", legend=SLO_LEGEND
                ),
            ),
            min=0,
        )


def alert_timeline(queries: SloQueries) -> Panel:
    """Return the timeline of pending and firing alerts."""
    return Panel(
        visualization="state-timeline",
        title="Alerts",
        description="Times at which SLO alerts were pending and firing.",
        queries=(
            Query(
                expr=queries.alert_history(),
                legend=legend_of(("alertname", series_names.SLO, series_names.SERVICE)),
            ),
        ),
        width=24,
        mappings=ALERT_STATES,
        no_value="no alerts",
    )
