"""Types of the series of Prometheus itself, beside the declared series.

Scraping may add target labels, for example to ``up``. The check cannot know them, so it accepts any
label of these series.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .promql.series_type import UNKNOWN, SeriesType
from .promql.values import ANY, PRESENT, one_of

_TARGET: Final = SeriesType({"job": PRESENT, "instance": PRESENT}, ANY, "gauge")

SERIES: Final[Mapping[str, SeriesType]] = MappingProxyType(
    {
        "up": _TARGET,  # 1 if the scrape succeeded
        "target_info": _TARGET,  # from exporters: the other resource attributes
        "ALERTS": UNKNOWN.having(  # 1 for an alert that is pending or firing
            {"alertname": PRESENT, "alertstate": one_of(["pending", "firing"])}
        ),
        "ALERTS_FOR_STATE": UNKNOWN.having({"alertname": PRESENT}),  # when the alert became active
    }
)
FAMILIES: Final[Mapping[re.Pattern[str], SeriesType]] = MappingProxyType(
    {re.compile(r"scrape_[a-z_]+"): _TARGET}  # of each scrape
)


def external_series(name: str) -> SeriesType | None:
    """Return the type of a series of Prometheus itself; None if the name is unknown."""
    families = (found for pattern, found in FAMILIES.items() if pattern.fullmatch(name))
    return SERIES.get(name) or next(families, None)
