"""PromQL's functions by the kind of series to which they may be put."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .shape import Kind

OF_COUNTERS: Final = frozenset({"rate", "irate", "increase", "resets"})
"""Take a fall for a restart: over a gauge they add up every fall."""

OF_GAUGES: Final = frozenset(
    {
        "avg_over_time",
        "delta",
        "deriv",
        "double_exponential_smoothing",
        "holt_winters",
        "idelta",
        "mad_over_time",
        "max_over_time",
        "min_over_time",
        "predict_linear",
        "quantile_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "sum_over_time",
    }
)
"""Take values as they are: over a counter they depend on when the process began."""

KEEP_KIND: Final = frozenset(
    {
        "label_join",
        "label_replace",
        "last_over_time",
        "sort",
        "sort_by_label",
        "sort_by_label_desc",
        "sort_desc",
    }
)
"""Leave values as they are."""

INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {"counter": "take rate() or increase() of it first", "gauge": "take delta() or deriv()"}
)
"""What to do with series of a kind."""

MISTAKEN: Final[Mapping[str, Kind]] = MappingProxyType(
    {**dict.fromkeys(OF_COUNTERS, "gauge"), **dict.fromkeys(OF_GAUGES, "counter")}
)
"""Functions, and the kind of series to which they should not be put."""


def kind_of(function: str, given: Kind) -> Kind:
    """How the values that a function gives move."""
    if function in KEEP_KIND:
        return given
    return "gauge" if function in MISTAKEN else ""
