"""Accumulators as OpenTelemetry's metric points, for whichever reader collects.

Readers hand what they collected to ``_receive_metrics``, which the SDK documents as theirs to
override; ours add these points there. So the points leave in the same export as everything that
other libraries record through the SDK.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from .accumulators import Accumulators
from .cells import BucketCell, Cell, LatestCell, SumCell
from .family import OVERFLOW, Family

Attributes = dict[str, str | int | bool]

_SCOPE: Final = InstrumentationScope("otel_meta")
"""Without a version: it would become a label on some paths and start every series anew."""

_NOT_KEPT: Final = cast("float", None)
"""Cumulative extremes say nothing about now; None leaves these optional fields of OTLP unset."""


def with_accumulators(collected: MetricsData, accumulators: Accumulators) -> MetricsData:
    """What the SDK collected, and the accumulators' points beside it under the same resource."""
    first, *others = collected.resource_metrics
    joined = ResourceMetrics(
        resource=first.resource,
        scope_metrics=[*first.scope_metrics, scope_metrics(accumulators.families())],
        schema_url=first.schema_url,
    )
    return MetricsData([joined, *others])


def scope_metrics(
    families: Iterable[Family[Any]], clock_ns: Callable[[], int] = time.time_ns
) -> ScopeMetrics:
    """Every series of these families as a metric point of this moment."""
    now = clock_ns()
    metrics = [metric for family in families if (metric := _metric(family, now)) is not None]
    return ScopeMetrics(scope=_SCOPE, metrics=metrics, schema_url="")


def _metric(family: Family[Any], now: int) -> Metric | None:
    instrument = family.instrument
    data = _DATA[instrument.kind](family, now)
    if not data.data_points:
        return None
    return Metric(
        name=instrument.name, description=instrument.description, unit=instrument.unit, data=data
    )


def _sum(family: Family[SumCell], now: int) -> Sum:
    points = [
        NumberDataPoint(attributes, cell.start_ns, max(now, cell.start_ns), cell.value)
        for cell, attributes in _described(family)
    ]
    return Sum(points, AggregationTemporality.CUMULATIVE, family.instrument.monotonic)


def _gauge(family: Family[LatestCell], now: int) -> Gauge:
    return Gauge(
        [
            NumberDataPoint(attributes, cell.start_ns, max(now, cell.start_ns), cell.value)
            for cell, attributes in _described(family)
            if cell.value is not None
        ]
    )


def _histogram(family: Family[BucketCell], now: int) -> Histogram:
    points = [_bucket_point(cell, attributes, now) for cell, attributes in _described(family)]
    return Histogram(points, AggregationTemporality.CUMULATIVE)


def _bucket_point(cell: BucketCell, attributes: Attributes, now: int) -> HistogramDataPoint:
    counts, total = cell.snapshot()
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=cell.start_ns,
        time_unix_nano=max(now, cell.start_ns),  # it may be younger than this collection
        count=sum(counts),
        sum=total,
        bucket_counts=counts,
        explicit_bounds=cell.bounds,
        min=_NOT_KEPT,
        max=_NOT_KEPT,
    )


_DATA: Final[dict[str, Callable[[Family[Any], int], Sum | Gauge | Histogram]]] = {
    "counter": _sum,
    "updowncounter": _sum,
    "gauge": _gauge,
    "histogram": _histogram,
}


def _described(family: Family[Any]) -> Iterator[tuple[Any, Attributes]]:
    fields = family.instrument.label_fields
    for cell in family.cells():
        yield cell, _attributes(cell, [field.attribute for field in fields])


def _attributes(cell: Cell, attributes: list[Any]) -> Attributes:
    """Labels under their OpenTelemetry keys; an empty value means that the label is absent."""
    if cell.labels is OVERFLOW:
        return {OVERFLOW[0]: True}
    pairs = zip(attributes, cell.labels, strict=True)
    return {attribute.key: attribute.encode(value) for attribute, value in pairs if value}
