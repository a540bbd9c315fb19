"""Metric points of OpenTelemetry from `MetricStorage`, for readers with a push exporter.

The SDK passes each collection to ``_receive_metrics``, a method of the reader that is documented
for overriding. `PushReader` appends the points there, so that the same export has our series and
the SDK's instruments of all libraries.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol, cast

from opentelemetry.sdk.metrics import Exemplar as SdkExemplar
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

from otel_meta.runtime.births.zero_first import Collection, FamilyLike, ZeroFirst
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.histograms.bucket_views import bucket_views
from otel_meta.runtime.recording.cells import Cell, GaugeCell, HistogramCell, SumCell
from otel_meta.runtime.recording.exemplars import Exemplar
from otel_meta.runtime.recording.family import Attributes, Family, attributes_of

from .deltas import DeltaState, Reading
from .point_counts import SCOPE
from .temporality import temporality_of

_UNSET: Final = cast("float", None)
"""None leaves the optional fields min and max of OTLP unset: cumulative extremes never recover."""


class Storage(Protocol):
    """The series of this process, or of all processes of a job."""

    def families(self) -> Iterable[Any]:
        """Return the series of each instrument, as `Family` or with its interface."""
        ...


class MetricProducer:
    """Produces the points of a reader, and keeps the last delivered collection for deltas.

    Args:
        storage: the families to read.
        preference: a key of `PREFERENCES`: cumulative, delta or lowmemory.
        clock_ns: wall clock in nanoseconds since the epoch.
        deltas: the readings for delta temporality.
        zero_first: exports cumulative events at zero first; None exports each value at once.
    """

    def __init__(
        self,
        storage: Storage,
        preference: str = "cumulative",
        clock_ns: Callable[[], int] = time.time_ns,
        deltas: DeltaState | None = None,
        zero_first: ZeroFirst | None = None,
    ) -> None:
        self._storage: Final = storage
        self._preference: Final = preference
        self._clock_ns: Final = clock_ns
        self._deltas: Final = deltas or DeltaState()
        is_cumulative = temporality_of("counter", preference) is AggregationTemporality.CUMULATIVE
        self._zero_first: Final = zero_first if is_cumulative else None
        self._collection: Collection | None = None
        self.was_delivered = True
        """False if the last collection was not delivered."""
        self._delivered_ns = 0
        self._valued_ns = 0
        """The last delivered collection had the values of series that were born until then."""
        self._now_ns = 0
        self._lock: Final = ForkSafeLock()

    def append_to(self, collected: MetricsData, *, with_values: bool = False) -> MetricsData:
        """Return the SDK's collection with our points appended under the same resource.

        Args:
            collected: the SDK's collection.
            with_values: see `collect`.
        """
        first, *others = collected.resource_metrics
        merged = ResourceMetrics(
            resource=first.resource,
            scope_metrics=[*first.scope_metrics, self.collect(with_values=with_values)],
            schema_url=first.schema_url,
        )
        return MetricsData([merged, *others])

    def collect(self, *, with_values: bool = False) -> ScopeMetrics:
        """Collect a point for every series; with delta temporality, for every changed series.

        `settle` has to end each collection before the next one.

        Args:
            with_values: True for the value of every series, new ones included: no other collection
                may follow.
        """
        with self._lock:
            self._now_ns = self._clock_ns()
            self._deltas.begin_collection(self._now_ns, with_values=with_values)
            self._collection = self._begin(with_values=with_values)
            families = self._storage.families()
            metrics = [metric for family in families if (metric := self._metric(family))]
        return ScopeMetrics(scope=SCOPE, metrics=metrics, schema_url="")

    def has_new_series(self) -> bool:
        """Return True if a series has counts to add that no delivered collection had."""
        return any(
            not self._deltas.is_known(cell)
            for family in self._storage.families()
            if family.instrument.kind in ("counter", "histogram")
            for cell in family.cells()
        )

    def seconds_to_hold(self) -> float:
        """Return the seconds until the next collection has the counts of all series."""
        return self._deltas.seconds_to_hold()

    def settle(self, delivered: bool) -> None:
        """End the latest collection: deltas that were not delivered join the next ones."""
        with self._lock:
            self._deltas.end_collection(delivered=delivered)
            self.was_delivered = delivered
            if delivered:
                self._delivered_ns = self._valued_ns = self._now_ns
            if delivered and self._zero_first is not None and self._collection is not None:
                self._zero_first.delivered(self._collection)
                self._valued_ns = self._collection.valued_ns

    def _begin(self, *, with_values: bool) -> Collection | None:
        if self._zero_first is None:
            return None
        return self._zero_first.begin_last() if with_values else self._zero_first.begin()

    def _metric(self, family: Family[Any]) -> Metric | None:
        instrument = family.instrument
        data = self._data(family)
        if not data.data_points:
            return None
        return Metric(
            name=instrument.name,
            description=instrument.description,
            unit=instrument.unit,
            data=data,
        )

    def _data(self, family: Family[Any]) -> Sum | Gauge | Histogram:
        match family.instrument.traits.point:
            case "sum":
                return self._sum(family)
            case "gauge":
                return self._gauge(family)
            case "histogram":
                return self._histogram(family)

    def _sum(self, family: Family[SumCell]) -> Sum:
        temporality = temporality_of(family.instrument.kind, self._preference)
        points = [
            NumberDataPoint(
                attributes,
                reading.start_ns,
                self._time_ns(cell),
                reading.numbers[0],
                self._exemplars(cell, [cell.exemplar] if cell.exemplar else []),
            )
            for cell, attributes, reading in self._readings(family, temporality)
        ]
        return Sum(points, temporality, family.instrument.monotonic)

    def _gauge(self, family: Family[GaugeCell]) -> Gauge:
        return Gauge(
            [
                NumberDataPoint(attributes, cell.start_ns, self._time_ns(cell), value)
                for cell, attributes in _cells_with_attributes(family)
                if (value := cell.value) is not None
            ]
        )

    def _histogram(self, family: Family[HistogramCell]) -> Histogram:
        temporality = temporality_of(family.instrument.kind, self._preference)
        buckets = family.instrument.buckets
        points = [
            self._histogram_point(cell, buckets, attributes, reading)
            for cell, attributes, reading in self._readings(family, temporality)
        ]
        return Histogram(points, temporality)

    def _histogram_point(
        self,
        cell: HistogramCell,
        buckets: tuple[float, ...],
        attributes: Attributes,
        reading: Reading,
    ) -> HistogramDataPoint:
        """Return a point with the declared buckets, also of a native histogram.

        An exponential point would reach the rules as a native histogram alone: Prometheus' receiver
        and the text of the Collector have no buckets of it.
        """
        counts, exemplars = [int(count) for count in reading.numbers[:-1]], cell.exemplars
        if views := bucket_views(cell.bounds, buckets):
            counts, exemplars = views.declared(counts), views.declared_exemplars(exemplars)
        return HistogramDataPoint(
            attributes=attributes,
            start_time_unix_nano=reading.start_ns,
            time_unix_nano=self._time_ns(cell),
            count=sum(counts),
            sum=reading.numbers[-1],
            bucket_counts=counts,
            explicit_bounds=buckets,
            min=_UNSET,
            max=_UNSET,
            exemplars=self._exemplars(cell, exemplars.values()),
        )

    def _readings(
        self, family: Family[Any], temporality: AggregationTemporality
    ) -> Iterator[tuple[Any, Attributes, Reading]]:
        is_delta = temporality is AggregationTemporality.DELTA
        read = self._deltas.delta if is_delta else self._deltas.cumulative
        shown = self._collection.shown(family) if self._collection else family
        for cell, attributes in _cells_with_attributes(shown):
            reading = read(cell)
            if reading is not None:
                yield cell, attributes, reading

    def _time_ns(self, cell: Cell) -> int:
        return max(self._now_ns, cell.start_ns)  # the cell may be younger than this collection

    def _exemplars(self, cell: Cell, exemplars: Iterable[Exemplar]) -> list[SdkExemplar]:
        """Return the exemplars since the last delivered collection with values of the series."""
        delivered_ns = self._delivered_ns if cell.start_ns <= self._valued_ns else 0
        return [
            SdkExemplar({}, e.value, e.time_ns, e.span_id, e.trace_id)
            for e in exemplars
            if e.time_ns > delivered_ns
        ]


def _cells_with_attributes(family: FamilyLike) -> Iterator[tuple[Any, Attributes]]:
    fields = family.instrument.label_fields
    for cell in family.cells():
        yield cell, attributes_of(fields, cell.labels)
