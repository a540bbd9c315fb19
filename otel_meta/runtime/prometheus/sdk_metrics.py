"""What the SDK collected, which is what other libraries measure, as families of a page."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    DataT,
    ExponentialHistogram,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)

from otel_meta.model.kind_traits import KIND_TRAITS, Kind
from otel_meta.runtime.recording.exemplars import Exemplar
from otel_meta.runtime.recording.faults import OnFault

from .attributes import Labels, labels_of, without
from .families import Head, SeriesFamily
from .naming import family_name
from .samples import Buckets, Number, Point, put

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


def families_of(
    collected: MetricsData, identity: Labels, on_fault: OnFault
) -> Iterator[SeriesFamily]:
    """Every metric as a family, with the identity's labels on each series.

    Metrics that Prometheus' text formats cannot hold are left out, and told of: exponential
    histograms, deltas, values that are no numbers.
    """
    for metric in _metrics(collected):
        try:
            yield _family(metric, identity, on_fault)
        except Exception as error:
            on_fault(metric.name, "not exposed", error)


def _metrics(collected: MetricsData) -> Iterator[Metric]:
    for resource in collected.resource_metrics:
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _family(metric: Metric, identity: Labels, on_fault: OnFault) -> SeriesFamily:
    data = _shown(metric.data)
    kind = _kind(data)
    named = family_name(metric.name, metric.unit or "", kind)
    prometheus_type = KIND_TRAITS[kind].prometheus_type
    head = Head(named.family, prometheus_type, metric.description or "", named.unit)
    points = _buckets(data, identity) if isinstance(data, Histogram) else _numbers(data, identity)
    series: dict[Labels, Point] = {}
    for labels, point in points:
        if kind == "counter" and not is_count(point):
            on_fault(head.name, "value", f"{point} is no value of a counter")
        else:
            put(series, labels, point)
    return SeriesFamily(head, series)


def is_count(point: Point) -> bool:
    """Whether a value is one that a counter can have, which excludes NaN."""
    return isinstance(point, Number) and point.value >= 0


def _shown(data: DataT) -> Sum | Gauge | Histogram:
    if isinstance(data, ExponentialHistogram):
        raise TypeError("the text formats have no exponential histograms")
    temporality = getattr(data, "aggregation_temporality", _CUMULATIVE)
    if temporality is not _CUMULATIVE:
        raise ValueError("the text formats have no deltas")
    return data


def _kind(data: Sum | Gauge | Histogram) -> Kind:
    if isinstance(data, Gauge):
        return "gauge"
    if isinstance(data, Histogram):
        return "histogram"
    return "counter" if data.is_monotonic else "updowncounter"


def _numbers(data: Sum | Gauge, identity: Labels) -> Iterator[tuple[Labels, Number]]:
    adds_up = isinstance(data, Sum)
    for point in data.data_points:
        latest = max(_exemplars(point), key=_time, default=None)
        labels = labels_of(point.attributes or {}, identity)
        yield labels, Number(_float(point.value), adds_up, latest)


def _buckets(data: Histogram, identity: Labels) -> Iterator[tuple[Labels, Buckets]]:
    for point in data.data_points:
        bounds = tuple(map(float, point.explicit_bounds))
        exemplars = {
            bisect_left(bounds, exemplar.value): exemplar
            for exemplar in sorted(_exemplars(point), key=_time)
        }
        labels = without("le", labels_of(point.attributes or {}, identity))
        yield labels, Buckets(bounds, tuple(point.bucket_counts), _float(point.sum), exemplars)


def _exemplars(point: NumberDataPoint | HistogramDataPoint) -> Iterator[Exemplar]:
    for exemplar in point.exemplars:
        if exemplar.trace_id and exemplar.span_id:
            yield Exemplar(
                _float(exemplar.value),
                exemplar.time_unix_nano,
                exemplar.trace_id,
                exemplar.span_id,
            )


def _time(exemplar: Exemplar) -> int:
    return exemplar.time_ns


def _float(value: Any) -> float:
    """A number of any type; infinite where it is too large for a float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
