"""Six panels with one number each, as a summary of all SLOs."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.render.rules import series_names

from .grafana_units import NUMBER, RATIO
from .panel import GREEN, YELLOW, Panel, Query, ThresholdStep, above
from .slo_queries import NO_DATA, SloQueries
from .slo_style import BUDGET_THRESHOLDS, HOURS_LEFT_THRESHOLDS, NEVER_EXHAUSTED


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
        "SLOs that are neither met nor not met, because no events were counted in their period "
        "or no service reports.",
        queries.count_in_state(NO_DATA),
        (ThresholdStep(None, GREEN), ThresholdStep(1, YELLOW)),
    )
    yield _stat_panel(
        "Alerts firing", "SLO alerts that fire now.", queries.count_firing(), above(1)
    )
    yield _stat_panel(
        "Lowest error budget left",
        "Error budget left of the SLO with the least; below 0 % the SLO is not met.",
        f"min({queries.series(series_names.BUDGET_REMAINING)})",
        BUDGET_THRESHOLDS,
        unit=RATIO,
    )
    yield _stat_panel(
        "First budget exhausted in",
        "Time until the first error budget is exhausted at the burn rate of the last hour.",
        f"min({queries.hours_left()})",
        HOURS_LEFT_THRESHOLDS,
        unit="h",
        no_value=NEVER_EXHAUSTED,
    )


def _stat_panel(
    title: str,
    description: str,
    expr: str,
    thresholds: tuple[ThresholdStep, ...],
    *,
    unit: str = NUMBER,
    no_value: str = "no data",
) -> Panel:
    return Panel(
        visualization="stat",
        title=title,
        description=description,
        unit=unit,
        queries=(Query(expr=expr, instant=True),),
        width=4,
        height=4,
        thresholds=thresholds,
        no_value=no_value,
    )
