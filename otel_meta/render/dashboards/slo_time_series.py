"""SLOs over time: budgets, burn rates, events and alerts."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.intervals import INCREASE_MINUTES, INCREASE_WINDOW

from .grafana_units import NUMBER, RATIO
from .panel import Panel, Query, above, below, legend_of
from .slo_queries import Questions
from .slo_style import ALERT_STATES, NOTHING_BURNS, OBJECTIVE_OF, WHOSE


def budget(ask: Questions) -> Panel:
    """What is left of each error budget."""
    return Panel(
        look="timeseries",
        title="Error budget left",
        description="Share of the error budget that is left over the SLO's period; "
        "below zero the promise is broken.",
        unit=RATIO,
        queries=(Query(expr=ask.of(series.BUDGET_REMAINING), legend=WHOSE),),
        width=12,
        steps=below(0),
        highest=1,
    )


def burn(ask: Questions) -> Panel:
    """How fast each error budget burns."""
    return Panel(
        look="timeseries",
        title="Burn rate over an hour",
        description="How many times too fast the error budget burned: at 1 it is spent in exactly "
        "one period.",
        unit=NUMBER,
        queries=(Query(expr=ask.of(series.BURN_RATE_1H), legend=WHOSE),),
        width=12,
        steps=above(1),
        lowest=0,
    )


def hours_left(ask: Questions) -> Panel:
    """When each error budget will be gone."""
    return Panel(
        look="timeseries",
        title="Time until the budget is gone",
        description="What is left of each error budget, divided by how fast it burned over the "
        "hour before. Absent while it burns no faster than it is given. Old errors that leave the "
        "period meanwhile are not counted: it may last longer.",
        unit="h",
        queries=(Query(expr=ask.hours_left(), legend=WHOSE),),
        width=12,
        lowest=0,
        empty=NOTHING_BURNS,
    )


def indicator(ask: Questions) -> Panel:
    """Good events, and what was promised."""
    return Panel(
        look="timeseries",
        title="Good events against the objective",
        description="Share of good events over the SLO's period, and what was promised.",
        unit=RATIO,
        queries=(
            Query(expr=ask.of(series.SLI), legend=WHOSE),
            Query(expr=ask.declaration(series.OBJECTIVE), legend=OBJECTIVE_OF),
        ),
        highest=1,
    )


def events(ask: Questions) -> Iterator[Panel]:
    """How many there are, and how many of them are bad."""
    for title, name in (("Events", series.TOTAL), ("Bad events", series.BAD)):
        yield Panel(
            look="timeseries",
            title=f"{title}, a second",
            description=f"{title} of each SLO over {INCREASE_MINUTES} minutes. "
            "Of a time slice, a second of time is an event; of a forecast, a dollar.",
            unit="eps",
            queries=(Query(expr=f"{ask.of(name)} / {INCREASE_WINDOW.seconds}", legend=WHOSE),),
            lowest=0,
        )


def alerts(ask: Questions) -> Panel:
    """When somebody was told."""
    return Panel(
        look="timeline",
        title="Alerts",
        description="When alerts about SLOs were pending and firing.",
        queries=(
            Query(
                expr=ask.alert_history(),
                legend=legend_of(("alertname", series.SLO, series.SERVICE)),
            ),
        ),
        width=24,
        words=ALERT_STATES,
        empty="none fired",
    )
