"""The style of SLOs on all dashboards: texts of states, colours, decimals and links."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from otel_meta.model import Slo
from otel_meta.render.rules.series_names import NAMESPACE, SERVICE, SLO
from otel_meta.status.slo_links import SLO_DASHBOARD, variable_of

from .grafana.panel import (
    GREEN,
    GREY,
    NO_DATA_MAPPING,
    NO_DATA_TEXT,
    RED,
    UNBOUNDED,
    YELLOW,
    Mappings,
    ThresholdStep,
    ValueMapping,
)
from .grafana_units import decimals_of_share
from .scope import Scope
from .slo_queries import NO_DATA
from .variables import title_of_label

SLO_STATES: Final[Mappings] = (
    ("1", ValueMapping("SLO met", GREEN)),
    ("0", ValueMapping("SLO not met", RED)),
    (NO_DATA, ValueMapping(NO_DATA_TEXT, GREY)),
    *NO_DATA_MAPPING,
)
ALERT_STATES: Final[Mappings] = (
    ("2", ValueMapping("firing", RED)),
    ("1", ValueMapping("pending", YELLOW)),
    ("0", ValueMapping("alerting works", GREEN)),
)
HOURS_LEFT: Final[Mappings] = (
    ("0", ValueMapping("exhausted", RED)),
    (UNBOUNDED, ValueMapping("never at this rate", GREEN)),
    *NO_DATA_MAPPING,
)
BUDGET_THRESHOLDS: Final = (
    ThresholdStep(None, RED),
    ThresholdStep(0, YELLOW),
    ThresholdStep(0.25, GREEN),
)
BURN_RATE_THRESHOLDS: Final = (
    ThresholdStep(None, GREEN),
    ThresholdStep(1, YELLOW),
    ThresholdStep(10, RED),
)
HOURS_LEFT_THRESHOLDS: Final = (
    ThresholdStep(None, RED),
    ThresholdStep(24, YELLOW),
    ThresholdStep(24 * 7, GREEN),
)
COVERAGE_THRESHOLDS: Final = (
    ThresholdStep(None, RED),
    ThresholdStep(0.5, YELLOW),
    ThresholdStep(0.95, GREEN),
)
BUDGET_DECIMALS: Final = 1
"""Decimals of a share of an error budget in percent."""


def objective_decimals(slos: Iterable[Slo]) -> int:
    """Return the decimals of good events in percent: those of the finest objective, and two more.

    With fewer, a share just below its objective reads as the objective.
    """
    return max(decimals_of_share(slo.objective.ratio) for slo in slos)


def lowest_objective(slos: Iterable[Slo]) -> Fraction:
    """Return the lowest objective as a share."""
    return min(slo.objective.ratio for slo in slos)


def slo_url(scope: Scope) -> str:
    """Return the address of the dashboard of all SLOs with the SLO of a table's row selected.

    The link keeps the time range, the data source, the environment and the cluster. The names of
    the columns are those of `variables.title_of_label`.
    """
    kept = ("datasource", *map(variable_of, scope.identity.places))
    current = "&".join(("${__url_time_range}", *(f"${{{name}:queryparam}}" for name in kept)))
    labels = (SLO, SERVICE) if scope.repo else (SLO, SERVICE, NAMESPACE)
    row = "&".join(
        f'var-{variable_of(label)}=${{__data.fields["{title_of_label(label)}"]}}'
        for label in labels
    )
    fixed = f"&var-{variable_of(NAMESPACE)}={scope.repo}" if scope.repo else ""
    return f"/d/{SLO_DASHBOARD}?{current}&{row}{fixed}"
