"""prometheus_client's side: its collectors on our page, and our families in its registries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics

from otel_meta.runtime.recording.faults import OnFault

from .attributes import Labels
from .families import Head, MetricFamily
from .formats import Format
from .page import END, merge_families
from .samples import Buckets, Point

_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_:]")


class ClientFamily:
    """A family of prometheus_client's, rendered by it: it may have what nothing else here has."""

    def __init__(self, metric: Metric) -> None:
        self.head: Final = Head(_NOT_IN_NAMES.sub("_", metric.name), metric.type)
        self._metric: Final = metric

    def pieces(self, written: Format) -> Iterator[str]:
        """Its lines; none where it has no series."""
        if self._metric.samples:
            of: Any = openmetrics if written.openmetrics else exposition
            text: bytes = of.generate_latest(_Alone(self._metric))
            yield text.removesuffix(END).decode()

    def series(self) -> None:
        """Nothing: its series stay its own."""


class _Alone:
    """A registry of one family, as far as a generator looks."""

    def __init__(self, metric: Metric) -> None:
        self._metric: Final = metric

    def collect(self) -> list[Metric]:
        return [self._metric]


class FamilyCollector:
    """Puts families into a registry, for whoever renders that with prometheus_client."""

    def __init__(self, families: Callable[[], Iterable[MetricFamily]], on_fault: OnFault) -> None:
        self._families: Final = families
        self._on_fault: Final = on_fault

    def describe(self) -> list[Metric]:
        """Nothing: what there will be is not known when a registry asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family that has series."""
        for family in merge_families(self._families(), self._on_fault):
            if series := family.series():
                yield _metric(family.head, series)


def _metric(head: Head, series: dict[Labels, Point]) -> Metric:
    names = sorted({name for labels in series for name, _ in labels})
    metric: Metric = _METRICS[head.kind](head.name, head.help, labels=names)
    metric.unit = head.unit
    for labels, point in series.items():
        known = dict(labels)
        _add(metric, [known.get(name, "") for name in names], point)
    return metric


def _add(metric: Any, values: list[str], point: Point) -> None:
    if isinstance(point, Buckets):
        bounds = (*map(str, point.bounds), "+Inf")
        sums = accumulate(point.counts)
        metric.add_metric(values, list(zip(bounds, sums, strict=True)), point.sum)
    elif metric.type == "info":
        metric.add_metric(values, {})
    else:
        metric.add_metric(values, point.value)


_METRICS: Final[dict[str, Any]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
    "info": InfoMetricFamily,
}


class Registry(CollectorRegistry):
    """A registry that knows its collectors one by one, so that one that fails fails alone."""

    def __init__(self, on_fault: OnFault) -> None:
        super().__init__(auto_describe=False)
        self._on_fault: Final = on_fault
        self._others: Final[dict[Any, None]] = {}

    def register(self, collector: Any) -> None:
        """Add a collector."""
        super().register(collector)
        if not isinstance(collector, FamilyCollector):
            self._others[collector] = None

    def unregister(self, collector: Any) -> None:
        """Remove a collector."""
        super().unregister(collector)
        self._others.pop(collector, None)

    def others(self) -> Iterator[ClientFamily]:
        """The families of every collector but ours."""
        for collector in list(self._others):
            try:
                yield from [ClientFamily(metric) for metric in collector.collect()]
            except Exception as error:
                self._on_fault(type(collector).__name__, "not exposed", error)
