"""Tables of all SLOs: state and error budget of each, and burn rate by window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.rules import series_names

from .grafana_units import NUMBER, RATIO
from .panel import Column, Panel, Query, ref_id
from .slo_queries import SloQueries
from .slo_style import (
    BUDGET_THRESHOLDS,
    BURN_RATE_THRESHOLDS,
    COVERAGE_THRESHOLDS,
    HOURS_LEFT_THRESHOLDS,
    NEVER_EXHAUSTED,
    SLO_STATES,
    slo_url,
)

_IDENTITY_COLUMNS: Final = (
    Column(source=series_names.SLO, title="SLO", link=slo_url("${__data.fields.SLO}")),
    Column(source=series_names.NAMESPACE, title="Meta-repository"),
    Column(source=series_names.SERVICE, title="Service"),
)
_DECLARED_COLUMNS: Final = tuple(
    Column(source=label, title=label.capitalize()) for label in ("objective", "period", "owner")
)

QueriedColumn = tuple[str, Column]
"""A query, and the column of its values."""


def slo_table(queries: SloQueries) -> Panel:
    """Return the table with one line for each SLO of each service."""
    budget = queries.series(series_names.BUDGET_REMAINING)
    queried: tuple[QueriedColumn, ...] = (
        (queries.declared_state(), Column(title="State", unit=NUMBER, mappings=SLO_STATES)),
        (queries.series(series_names.SLI), Column(title="Good events", unit=RATIO)),
        (budget, Column(title="Error budget left", unit=RATIO, thresholds=BUDGET_THRESHOLDS)),
        (queries.series(series_names.BURN_RATE_1H), _burn_rate_column("Burn rate, 1h")),
        (
            queries.hours_left(),
            Column(
                title="Budget exhausted in",
                unit="h",
                thresholds=HOURS_LEFT_THRESHOLDS,
                no_value=NEVER_EXHAUSTED,
            ),
        ),
        (
            queries.coverage(),
            Column(title="Period with data", unit=RATIO, thresholds=COVERAGE_THRESHOLDS),
        ),
    )
    return Panel(
        visualization="table",
        title="All SLOs",
        description="Each SLO of each service: its objective, whether it is met, and the time "
        "until its error budget is exhausted at the burn rate of the last hour. A click on an SLO "
        "selects it.",
        queries=_queries(queried),
        width=24,
        height=12,
        columns=(*_IDENTITY_COLUMNS, *_value_columns(queried), *_DECLARED_COLUMNS),
    )


def burn_rate_table(queries: SloQueries, lookbacks: Iterable[Duration]) -> Panel:
    """Return the table of each SLO's burn rate over each window of an alert."""
    queried = [
        (queries.burn_rate(lookback), _burn_rate_column(str(lookback))) for lookback in lookbacks
    ]
    return Panel(
        visualization="table",
        title="Burn rate by window",
        description="Burn rate of each error budget over each window of an alert. High only in "
        "short windows: a new incident. Above 1 in long windows: the SLO will not be met.",
        queries=_queries(queried),
        width=12,
        columns=(*_IDENTITY_COLUMNS, *_value_columns(queried)),
    )


def _burn_rate_column(title: str) -> Column:
    return Column(title=title, unit=NUMBER, thresholds=BURN_RATE_THRESHOLDS)


def _queries(queried: Sequence[QueriedColumn]) -> tuple[Query, ...]:
    return tuple(Query(expr=expr, instant=True) for expr, _ in queried)


def _value_columns(queried: Sequence[QueriedColumn]) -> tuple[Column, ...]:
    """Fill each column with the values of the query at its index."""
    return tuple(
        replace(column, source=f"Value #{ref_id(index)}")
        for index, (_, column) in enumerate(queried)
    )
