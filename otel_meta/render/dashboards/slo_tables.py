"""Tables of SLOs: state and error budget of each, burn rate by window, and firing alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from otel_meta.model import Duration, Slo
from otel_meta.render.rules import series_names

from .grafana.panel import (
    NO_DATA_MAPPING,
    RED,
    YELLOW,
    Column,
    Panel,
    Query,
    ValueMapping,
    values_of,
)
from .grafana_units import NUMBER, RATIO
from .scope import Scope
from .slo_queries import DECLARED_LABELS, SloQueries
from .slo_style import (
    BUDGET_DECIMALS,
    BUDGET_THRESHOLDS,
    BURN_RATE_THRESHOLDS,
    COVERAGE_THRESHOLDS,
    HOURS_LEFT,
    HOURS_LEFT_THRESHOLDS,
    SLO_STATES,
    objective_decimals,
    slo_url,
)
from .variables import title_of_label

_OBJECTIVE, _PERIOD, _OWNER = (
    Column(source=label, title=label.capitalize(), width=width)
    for label, width in zip(DECLARED_LABELS, (90, 70, 120), strict=True)
)
_WIDTHS: Final[Mapping[str, int]] = MappingProxyType(
    {series_names.SLO: 240, series_names.SERVICE: 110, series_names.NAMESPACE: 190}
)
_PLACE_WIDTH: Final = 100
_SERVICES_PER_SLO: Final = 3
"""Rows for each declared SLO for which a table has room: services, environments and clusters."""
_ROW: Final = 36
"""Pixels of a row of a table."""
_GRID: Final = 38
"""Pixels of a grid unit, with the gap between panels."""
_ROWS: Final = range(5, 23)
"""The numbers of rows for which a table has room."""

QueriedColumn = tuple[str, Column]
"""A query, and the column of its values."""


def slo_table(queries: SloQueries, slos: Sequence[Slo]) -> Panel:
    """Return the table with one line for each SLO of each service, worst first.

    Args:
        queries: the queries of the services.
        slos: the declared SLOs, which decide on decimals and height.
    """
    queried = _measured_columns(queries, slos)
    state = Column(title="State", unit=NUMBER, mappings=SLO_STATES, width=105)
    all_queried = ((queries.declared_state(), state), *queried)
    return Panel(
        visualization="table",
        title="All SLOs, worst first",
        description="Each SLO of each service: whether it is met, and the time until its error "
        "budget is exhausted at the burn rate of the last hour. Overspent error budgets come "
        "first, then SLOs without data. Coverage is the share of the period in which the service "
        "had data. A click on an SLO selects it.",
        queries=_queries((*(expr for expr, _ in all_queried), queries.rank())),
        width=24,
        height=_height(len(slos)),
        columns=_ordered(queries.scope, _value_columns(all_queried)),
        worst_first=values_of(len(all_queried)),
    )


def _ordered(scope: Scope, values: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of an SLO, with its objective beside its good events."""
    state, good_events, *others = values
    last = (_PERIOD, _OWNER, *_repo_column(scope))
    return (*_identity_columns(scope), state, good_events, _OBJECTIVE, *others, *last)


def _measured_columns(queries: SloQueries, slos: Iterable[Slo]) -> tuple[QueriedColumn, ...]:
    return (
        (
            queries.series(series_names.SLI),
            _share_column("Good events", decimals=objective_decimals(slos)),
        ),
        (
            queries.series(series_names.BUDGET_REMAINING),
            replace(_share_column("Budget left"), thresholds=BUDGET_THRESHOLDS),
        ),
        (queries.series(series_names.BURN_RATE_1H), _burn_rate_column("Burn 1h")),
        (
            queries.hours_left(),
            Column(
                title="Exhausted in",
                unit="h",
                thresholds=HOURS_LEFT_THRESHOLDS,
                mappings=HOURS_LEFT,
                width=135,
            ),
        ),
        (
            queries.coverage(),
            replace(_share_column("Coverage"), thresholds=COVERAGE_THRESHOLDS),
        ),
    )


def burn_rate_table(queries: SloQueries, lookbacks: Iterable[Duration], slos: int) -> Panel:
    """Return the table of each SLO's burn rate over each window of an alert."""
    queried = [
        (queries.burn_rate(lookback), _burn_rate_column(str(lookback))) for lookback in lookbacks
    ]
    return Panel(
        visualization="table",
        title="Burn rate by window, smallest budget first",
        description="Burn rate of each error budget over each window of an alert. High only in "
        "short windows: a new incident. Above 1 in long windows: the SLO will not be met. A window "
        "that no alert of the SLO uses has no data.",
        queries=_queries((*(expr for expr, _ in queried), queries.rank())),
        width=24,
        height=_height(slos),
        columns=(
            *_identity_columns(queries.scope),
            *_value_columns(queried),
            *_repo_column(queries.scope),
        ),
        worst_first=values_of(len(queried)),
    )


def firing_table(queries: SloQueries) -> Panel:
    """Return the table of the alerts that fire now."""
    severities = (("page", ValueMapping("page", RED)), ("ticket", ValueMapping("ticket", YELLOW)))
    return Panel(
        visualization="table",
        title="Alerts firing",
        description="Alerts that fire now. A click on an alert opens its rule, with the link to "
        "the runbook. No data means that no alert fires, or that no rules are evaluated: see the "
        "row of the Watchdog among the alerts over time.",
        queries=(Query(expr=queries.firing(), instant=True),),
        width=24,
        height=5,
        columns=(
            Column(source="severity", title="Severity", mappings=severities, width=90),
            Column(
                source="alertname",
                title="Alert",
                link="/alerting/list?search=rule:${__value.text}",
                width=280,
            ),
            *_identity_columns(queries.scope),
            *_repo_column(queries.scope),
        ),
        no_value="no alert fires, or no rules are evaluated",
    )


def _identity_columns(scope: Scope) -> tuple[Column, ...]:
    """Return the columns of an SLO and its service; a place that no series has has no column."""
    slo, *others = (_label_column(label) for label in (series_names.SLO, *scope.service_labels))
    return (replace(slo, link=slo_url(scope)), *others)


def _repo_column(scope: Scope) -> tuple[Column, ...]:
    """Return the column of the meta-repository, last: the name of an SLO begins with its name."""
    return () if scope.repo else (_label_column(series_names.NAMESPACE),)


def _label_column(label: str) -> Column:
    width = _WIDTHS.get(label, _PLACE_WIDTH)
    return Column(source=label, title=title_of_label(label), width=width)


def _share_column(title: str, decimals: int = BUDGET_DECIMALS) -> Column:
    return Column(
        title=title, unit=RATIO, decimals=decimals, mappings=NO_DATA_MAPPING, width=_width(title)
    )


def _burn_rate_column(title: str) -> Column:
    return Column(
        title=title,
        unit=NUMBER,
        thresholds=BURN_RATE_THRESHOLDS,
        mappings=NO_DATA_MAPPING,
        width=_width(title),
    )


def _width(title: str) -> int:
    """Return the pixels that a title, its icons and a value need."""
    return max(80, 8 * len(title) + 25)


def _height(slos: int) -> int:
    """Return the grid units of a table of SLOs: its rows, a title and a heading."""
    shown = min(max(slos * _SERVICES_PER_SLO, _ROWS.start), _ROWS.stop - 1)
    return -(-((shown + 2) * _ROW) // _GRID)


def _queries(exprs: Iterable[str]) -> tuple[Query, ...]:
    return tuple(Query(expr=expr, instant=True) for expr in exprs)


def _value_columns(queried: Sequence[QueriedColumn]) -> tuple[Column, ...]:
    """Fill each column with the values of the query at its index."""
    return tuple(
        replace(column, source=values_of(index)) for index, (_, column) in enumerate(queried)
    )
