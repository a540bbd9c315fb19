"""How SLOs look wherever they are shown: their names, states and colours."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.render.links import SLO_DASHBOARD
from otel_meta.render.rules.series_names import SERVICE, SLO

from .panel import GREEN, GREY, RED, YELLOW, Step, Word, legend_of
from .slo_queries import NO_DATA

WHOSE: Final = legend_of((SLO, SERVICE))
OBJECTIVE_OF: Final = f"objective of {legend_of((SLO,))}"
STATES: Final[Mapping[str, Word]] = MappingProxyType(
    {"1": Word("kept", GREEN), "0": Word("broken", RED), NO_DATA: Word("no data", GREY)}
)
ALERT_STATES: Final[Mapping[str, Word]] = MappingProxyType(
    {"2": Word("firing", RED), "1": Word("pending", YELLOW)}
)
BUDGET: Final = (Step(None, RED), Step(0, YELLOW), Step(0.25, GREEN))
BURN: Final = (Step(None, GREEN), Step(1, YELLOW), Step(10, RED))
HOURS: Final = (Step(None, RED), Step(24, YELLOW), Step(24 * 7, GREEN))
COVERAGE: Final = (Step(None, RED), Step(0.5, YELLOW), Step(0.95, GREEN))
NOTHING_BURNS: Final = "no end in sight"


def tracking(slo: str) -> str:
    """The page of all SLOs, with one chosen and the same time and data source."""
    kept = "${__url_time_range}&${datasource:queryparam}"
    return f"/d/{SLO_DASHBOARD}?{kept}&var-{SLO}={slo}"
