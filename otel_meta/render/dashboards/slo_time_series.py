"""Panels of SLOs over time: error budgets, burn rates, events and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_meta.model import Slo
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_MINUTES, INCREASE_WINDOW

from .grafana.panel import Panel, Query, above, below, legend_of
from .grafana_units import NUMBER, RATIO
from .slo_queries import SloQueries
from .slo_style import (
    ALERT_STATES,
    BUDGET_DECIMALS,
    lowest_objective,
    objective_decimals,
)


def budget_panel(queries: SloQueries) -> Panel:
    """Return the panel of each error budget left."""
    return Panel(
        visualization="timeseries",
        title="Error budget left",
        description="Share of the error budget left over the SLO's period; below 0 % the SLO is "
        "not met. Values below -100 % are outside of the chart, and in the legend.",
        unit=RATIO,
        decimals=BUDGET_DECIMALS,
        queries=(_slo_query(queries, series_names.BUDGET_REMAINING),),
        width=24,
        height=9,
        thresholds=below(0),
        min=-1,
        max=1,
        legend_calculation="lastNotNull",
    )


def burn_rate_panel(queries: SloQueries) -> Panel:
    """Return the panel of each burn rate over an hour."""
    return Panel(
        visualization="timeseries",
        title="Burn rate, 1h",
        description="Burn rate of the error budget over the last hour. At 1 a full budget lasts "
        "exactly one period, at 2 half a period. Above 1 the axis is logarithmic.",
        unit=NUMBER,
        queries=(_slo_query(queries, series_names.BURN_RATE_1H),),
        width=24,
        height=9,
        thresholds=above(1),
        min=0,
        symlog=True,
        legend_calculation="lastNotNull",
        legend_descending=True,
    )


def sli_panel(queries: SloQueries, slos: Sequence[Slo]) -> Panel:
    """Return the panel of each SLI and its objective."""
    objective = queries.series(series_names.OBJECTIVE)
    lowest = lowest_objective(slos)
    return Panel(
        visualization="timeseries",
        title="Good events and objective",
        description="Share of good events over the SLO's period, and the objective. Values far "
        "below every objective are outside of the chart, and in the legend.",
        unit=RATIO,
        decimals=objective_decimals(slos),
        queries=(
            _slo_query(queries, series_names.SLI),
            Query(
                expr=f"max by ({series_names.SLO}) ({objective})",
                legend=f"objective of {legend_of((series_names.SLO,))}",
            ),
        ),
        width=24,
        height=9,
        min=float(1 - 2 * (1 - lowest)),
        max=1,
        legend_calculation="lastNotNull",
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
                    expr=f"{queries.series(name)} / {INCREASE_WINDOW.seconds}",
                    legend=queries.scope.slo_legend,
                ),
            ),
            width=24,
            min=0,
            legend_calculation="lastNotNull",
            legend_descending=True,
        )


def alert_timeline(queries: SloQueries) -> Panel:
    """Return the timeline of pending and firing alerts."""
    labels = ("alertname", series_names.SLO, *queries.scope.service_labels)
    return Panel(
        visualization="state-timeline",
        title="Alerts over time",
        description="Times at which alerts were pending and firing. The row of the Watchdog alert "
        "shows when rules were evaluated; without it, silence means nothing.",
        queries=(Query(expr=queries.alert_history(), legend=legend_of(labels)),),
        width=24,
        mappings=ALERT_STATES,
        no_value="no data: no rules were evaluated",
    )


def _slo_query(queries: SloQueries, name: str) -> Query:
    return Query(expr=queries.series(name), legend=queries.scope.slo_legend)
