"""Counts of metric points in an export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricsData
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

SCOPE: Final = InstrumentationScope("otel_meta")
"""Has no version: on some paths the version is a label, and an upgrade would start new series."""


def count_points(export: MetricsData) -> int:
    """Return the number of all points."""
    return sum(len(data.data_points) for _, data in _data(export))


def count_lossy_points(export: MetricsData) -> int:
    """Return the number of points that no later export makes up for.

    These are deltas of the SDK, which are forgotten at their collection.
    """
    return sum(
        len(data.data_points)
        for scope, data in _data(export)
        if scope is not SCOPE
        and getattr(data, "aggregation_temporality", None) is AggregationTemporality.DELTA
    )


def _data(export: MetricsData) -> Iterator[tuple[InstrumentationScope, Any]]:
    for resource in export.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield scope.scope, metric.data
