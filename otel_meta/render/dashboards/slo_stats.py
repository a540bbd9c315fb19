"""Six numbers that say at a glance whether promises are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from otel_meta.render.rules import series_names as series

from .grafana_units import NUMBER, RATIO
from .panel import GREEN, YELLOW, Panel, Query, Step, above
from .slo_queries import NO_DATA, Questions
from .slo_style import BUDGET, HOURS, NOTHING_BURNS


@dataclass(frozen=True)
class _Number:
    title: str
    description: str
    expr: str
    steps: tuple[Step, ...]
    unit: str = NUMBER
    empty: str = "no data"


def numbers(ask: Questions) -> Iterator[Panel]:
    """One panel a number."""
    for number in _numbers(ask):
        yield Panel(
            look="stat",
            title=number.title,
            description=number.description,
            unit=number.unit,
            queries=(Query(expr=number.expr, instant=True),),
            width=4,
            height=4,
            steps=number.steps,
            empty=number.empty,
        )


def _numbers(ask: Questions) -> tuple[_Number, ...]:
    return (
        _Number(
            "Kept",
            "SLOs that are kept over their period; each service counts on its own.",
            ask.in_state("1"),
            (Step(None, GREEN),),
        ),
        _Number("Broken", "SLOs whose error budget is overspent.", ask.in_state("0"), above(1)),
        _Number(
            "Without data",
            "SLOs of which nothing is known: no events in their period, or nobody reports. "
            "They are neither kept nor broken.",
            ask.in_state(NO_DATA),
            (Step(None, GREEN), Step(1, YELLOW)),
        ),
        _Number("Alerts firing", "Alerts about SLOs that fire now.", ask.firing(), above(1)),
        _Number(
            "Lowest budget left",
            "What the SLO that is worst off has left of its error budget.",
            f"min({ask.of(series.BUDGET_REMAINING)})",
            BUDGET,
            RATIO,
        ),
        _Number(
            "First budget gone in",
            "Time until the first error budget is gone, if it goes on burning as in the last hour.",
            f"min({ask.hours_left()})",
            HOURS,
            "h",
            NOTHING_BURNS,
        ),
    )
