"""Six panels with one number each, as a summary of all SLOs."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.render.rules import series_names

from .grafana.panel import (
    GREEN,
    NO_DATA_MAPPING,
    YELLOW,
    Mappings,
    Panel,
    Query,
    ThresholdStep,
    above,
)
from .grafana_units import NUMBER, RATIO
from .slo_queries import NO_DATA, SloQueries
from .slo_style import BUDGET_DECIMALS, BUDGET_THRESHOLDS, HOURS_LEFT, HOURS_LEFT_THRESHOLDS


def stat_panels(queries: SloQueries) -> Iterator[Panel]:
    """Return the panels."""
    yield _stat_panel(
        "SLOs met",
        "SLOs that are met over their period; each service counts separately.",
        queries.count_in_state("1"),
        (ThresholdStep(None, GREEN),),
    )
    yield _stat_panel(
        "SLOs not met",
        "SLOs that are not met over their period; each service counts separately.",
        queries.count_in_state("0"),
        above(1),
    )
    yield _stat_panel(
        "SLOs without data",
        "SLOs that are neither met nor not met, because no events were counted in their period. "
        "An SLO is listed once a service counted its first event.",
        queries.count_in_state(NO_DATA),
        (ThresholdStep(None, GREEN), ThresholdStep(1, YELLOW)),
    )
    yield _stat_panel(
        "SLO alerts firing",
        "Alerts about these SLOs that fire now; no data means that no rules are evaluated.",
        queries.count_firing(),
        above(1),
    )
    yield _stat_panel(
        "Lowest budget left",
        "Error budget left of the SLO with the least; below 0 % the SLO is not met.",
        f"min({queries.series(series_names.BUDGET_REMAINING)})",
        BUDGET_THRESHOLDS,
        unit=RATIO,
        decimals=BUDGET_DECIMALS,
    )
    yield _stat_panel(
        "Budget exhausted in",
        "Time until the first error budget is exhausted at the burn rate of the last hour.",
        f"min({queries.hours_left()})",
        HOURS_LEFT_THRESHOLDS,
        unit="h",
        mappings=HOURS_LEFT,
    )


def _stat_panel(
    title: str,
    description: str,
    expr: str,
    thresholds: tuple[ThresholdStep, ...],
    *,
    unit: str = NUMBER,
    decimals: int | None = None,
    mappings: Mappings = NO_DATA_MAPPING,
) -> Panel:
    return Panel(
        visualization="stat",
        title=title,
        description=description,
        unit=unit,
        decimals=decimals,
        queries=(Query(expr=expr, instant=True),),
        width=4,
        height=4,
        thresholds=thresholds,
        mappings=mappings,
    )
