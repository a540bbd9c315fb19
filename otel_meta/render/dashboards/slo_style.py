"""The style of SLOs on all dashboards: legends, texts of states, colours and links."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.rules.series_names import SERVICE, SLO

from .panel import GREEN, GREY, RED, YELLOW, ThresholdStep, ValueMapping, legend_of
from .slo_queries import NO_DATA

SLO_LEGEND: Final = legend_of((SLO, SERVICE))
OBJECTIVE_LEGEND: Final = f"objective of {legend_of((SLO,))}"
SLO_STATES: Final[Mapping[str, ValueMapping]] = MappingProxyType(
    {
        "1": ValueMapping("SLO met", GREEN),
        "0": ValueMapping("SLO not met", RED),
        NO_DATA: ValueMapping("no data", GREY),
    }
)
ALERT_STATES: Final[Mapping[str, ValueMapping]] = MappingProxyType(
    {"2": ValueMapping("firing", RED), "1": ValueMapping("pending", YELLOW)}
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
NEVER_EXHAUSTED: Final = "never at this burn rate"
"""The text for an error budget with a burn rate of at most 1."""


def slo_url(slo: str) -> str:
    """Return the address of the dashboard of all SLOs, with one SLO selected.

    The link keeps the time range and the data source.
    """
    current = "${__url_time_range}&${datasource:queryparam}"
    return f"/d/{SLO_DASHBOARD}?{current}&var-{SLO}={slo}"
