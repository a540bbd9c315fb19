"""PromQL functions by the metric type of their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .series_type import MetricType

FOR_COUNTERS: Final = frozenset({"rate", "irate", "increase", "resets"})
"""Functions that treat decreases as restarts; over a gauge, every decrease is added up."""

FOR_GAUGES: Final = frozenset(
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
"""Functions of absolute values; over a counter the result depends on the process's start."""

KEEP_TYPE: Final = frozenset(
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
"""Functions without effect on values."""

ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {"counter": "take rate() or increase() of it first", "gauge": "take delta() or deriv()"}
)
"""Advice for series of a metric type."""

WRONG_TYPE: Final[Mapping[str, MetricType]] = MappingProxyType(
    {**dict.fromkeys(FOR_COUNTERS, "gauge"), **dict.fromkeys(FOR_GAUGES, "counter")}
)
"""Functions with the wrong metric type for their arguments."""


def type_of_result(function: str, given: MetricType) -> MetricType:
    """Return the metric type of a function's result."""
    if function in KEEP_TYPE or (given == "histogram" and function in WRONG_TYPE):
        return given
    return "gauge" if function in WRONG_TYPE else ""
