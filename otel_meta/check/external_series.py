"""Series that nobody here declares and any Prometheus has, and what otel_meta says of itself.

A rule may use these besides the catalogue's. Where scraping adds labels that cannot be known, as
target labels are to ``up``, any label is taken for right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .promql.shape import UNKNOWN, Shape
from .promql.values import ANY, PRESENT, one_of

_TARGET: Final = Shape({"job": PRESENT, "instance": PRESENT}, ANY, "gauge")

SERIES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "up": _TARGET,  # Prometheus: 1 where a scrape succeeded
        "target_info": _TARGET,  # exporters: the resource's other attributes
        "ALERTS": UNKNOWN.having(  # Prometheus: 1 for an alert that is pending or fires
            {"alertname": PRESENT, "alertstate": one_of(["pending", "firing"])}
        ),
        "ALERTS_FOR_STATE": UNKNOWN.having({"alertname": PRESENT}),  # likewise: since when
    }
)
FAMILIES: Final[Mapping[re.Pattern[str], Shape]] = MappingProxyType(
    {re.compile(r"scrape_[a-z_]+"): _TARGET}  # Prometheus, of each scrape
)


def foreign(name: str) -> Shape | None:
    """What is known of a series by its name; None if it is not one of these."""
    families = (shape for pattern, shape in FAMILIES.items() if pattern.fullmatch(name))
    return SERIES.get(name) or next(families, None)
