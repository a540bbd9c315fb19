"""Metrics of other libraries, collected by the OpenTelemetry SDK, as metric families."""

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
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.exemplars import Exemplar
from otel_meta.runtime.recording.faults import OnFault

from .attributes import Labels, labels_of, without_label
from .families import Metadata, SeriesFamily
from .metric_points import HistogramPoint, NumberPoint, Point, add_point
from .name_translation import translate_name

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


def sdk_families(
    collected: MetricsData, identity: Labels, on_fault: OnFault
) -> Iterator[SeriesFamily]:
    """Convert every metric to a family, with the identity labels on each series.

    Metrics that the text formats cannot express are left out and reported: exponential
    histograms, deltas, values that are not numbers.
    """
    for metric in _metrics(collected):
        try:
            yield _family(metric, identity, on_fault)
        except Exception as error:
            reraise_interruption(error)
            on_fault(metric.name, "not exposed", error)


def is_counter_value(point: Point) -> bool:
    """Return True for a number that a counter can have: not negative and not NaN."""
    return isinstance(point, NumberPoint) and point.value >= 0


def _metrics(collected: MetricsData) -> Iterator[Metric]:
    for resource in collected.resource_metrics:
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _family(metric: Metric, identity: Labels, on_fault: OnFault) -> SeriesFamily:
    data = _supported(metric.data)
    metadata = _metadata(metric, _kind(data))
    series: dict[Labels, Point] = {}
    for labels, point in _points(data, identity):
        if metadata.kind == "counter" and not is_counter_value(point):
            on_fault(metadata.name, "value", f"{point} is not a possible value of a counter")
        else:
            add_point(series, labels, point)
    return SeriesFamily(metadata, series)


def _supported(data: DataT) -> Sum | Gauge | Histogram:
    """Return data that the text formats can express.

    Raises:
        TypeError: the data is an exponential histogram.
        ValueError: the data is a delta.
    """
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


def _metadata(metric: Metric, kind: Kind) -> Metadata:
    name = translate_name(metric.name, metric.unit or "", kind)
    prometheus_type = KIND_TRAITS[kind].prometheus_type
    return Metadata(name.family, prometheus_type, metric.description or "", name.unit)


def _points(data: Sum | Gauge | Histogram, identity: Labels) -> Iterator[tuple[Labels, Point]]:
    if isinstance(data, Histogram):
        return _histogram_points(data, identity)
    return _number_points(data, identity)


def _number_points(data: Sum | Gauge, identity: Labels) -> Iterator[tuple[Labels, NumberPoint]]:
    additive = isinstance(data, Sum)
    for point in data.data_points:
        latest = max(_exemplars(point), key=_time, default=None)
        labels = labels_of(point.attributes or {}, identity)
        start_ns = point.start_time_unix_nano or 0 if additive else 0
        yield labels, NumberPoint(_float(point.value), additive, latest, start_ns)


def _histogram_points(data: Histogram, identity: Labels) -> Iterator[tuple[Labels, HistogramPoint]]:
    for point in data.data_points:
        bounds = tuple(map(float, point.explicit_bounds))
        labels = without_label("le", labels_of(point.attributes or {}, identity))
        counts, total = tuple(point.bucket_counts), _float(point.sum)
        exemplars, start_ns = _by_bucket(point, bounds), point.start_time_unix_nano or 0
        yield labels, HistogramPoint(bounds, counts, total, exemplars, start_ns)


def _by_bucket(point: HistogramDataPoint, bounds: tuple[float, ...]) -> dict[int, Exemplar]:
    """Return the latest exemplar of each bucket."""
    oldest_first = sorted(_exemplars(point), key=_time)
    return {bisect_left(bounds, exemplar.value): exemplar for exemplar in oldest_first}


def _exemplars(point: NumberDataPoint | HistogramDataPoint) -> Iterator[Exemplar]:
    for exemplar in point.exemplars:
        if exemplar.trace_id and exemplar.span_id:
            value, time_ns = _float(exemplar.value), exemplar.time_unix_nano
            yield Exemplar(value, time_ns, exemplar.trace_id, exemplar.span_id)


def _time(exemplar: Exemplar) -> int:
    return exemplar.time_ns


def _float(value: Any) -> float:
    """Convert a number to a float; infinity for an integer beyond the range of floats."""
    try:
        return float(value)
    except OverflowError as error:
        reraise_interruption(error)
        return math.inf if value > 0 else -math.inf
