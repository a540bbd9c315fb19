"""The bridge to prometheus_client, in both directions.

`ClientFamily` puts prometheus_client's metrics on our page. `MetricFamilyCollector` puts our
families into a prometheus_client registry, for other renderers and pushers of the registry.
"""

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
from .families import Metadata, MetricFamily
from .metric_points import HistogramPoint, Point
from .page import EOF, merge_families
from .text_format import TextFormat

_INVALID_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_:]")


class ClientFamily:
    """A metric family of prometheus_client.

    Rendered by prometheus_client, because `metric_points` lacks some types and timestamps.
    """

    def __init__(self, metric: Metric) -> None:
        self.metadata: Final = Metadata(_INVALID_IN_NAMES.sub("_", metric.name), metric.type)
        self._metric: Final = metric

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines in one chunk; nothing for a family without series."""
        if self._metric.samples:
            renderer: Any = openmetrics if text_format.openmetrics else exposition
            text: bytes = renderer.generate_latest(_SingleMetricRegistry(self._metric))
            yield text.removesuffix(EOF).decode()

    def series(self) -> None:
        """Return None: the family cannot be merged."""


class _SingleMetricRegistry:
    """A registry of a single metric, for ``generate_latest``."""

    def __init__(self, metric: Metric) -> None:
        self._metric: Final = metric

    def collect(self) -> list[Metric]:
        return [self._metric]


class MetricFamilyCollector:
    """A prometheus_client collector of our metric families.

    Args:
        families: returns the families at each collection.
        on_fault: called for conflicting families.
    """

    def __init__(self, families: Callable[[], Iterable[MetricFamily]], on_fault: OnFault) -> None:
        self._families: Final = families
        self._on_fault: Final = on_fault

    def describe(self) -> list[Metric]:
        """Return no metrics: names are unknown before a collection."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Convert every family with series."""
        for family in merge_families(self._families(), self._on_fault):
            if series := family.series():
                yield _client_metric(family.metadata, series)


def _client_metric(metadata: Metadata, series: dict[Labels, Point]) -> Metric:
    names = sorted({name for labels in series for name, _ in labels})
    family_class = _CLIENT_CLASSES[metadata.kind]
    metric: Metric = family_class(metadata.name, metadata.help, labels=names)
    metric.unit = metadata.unit
    for labels, point in series.items():
        values = dict(labels)
        _add_metric(metric, [values.get(name, "") for name in names], point)
    return metric


def _add_metric(metric: Any, values: list[str], point: Point) -> None:
    if isinstance(point, HistogramPoint):
        bounds = (*map(str, point.bounds), "+Inf")
        cumulative = accumulate(point.counts)
        metric.add_metric(values, list(zip(bounds, cumulative, strict=True)), point.sum)
    elif metric.type == "info":
        metric.add_metric(values, {})
    else:
        metric.add_metric(values, point.value)


_CLIENT_CLASSES: Final[dict[str, Any]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
    "info": InfoMetricFamily,
}


class IsolatingRegistry(CollectorRegistry):
    """A registry in which a failing collector does not affect the rest.

    In prometheus_client's own registry, a failing collector fails the scrape.

    Args:
        on_fault: called for each failing collector.
    """

    def __init__(self, on_fault: OnFault) -> None:
        super().__init__(auto_describe=False)
        self._on_fault: Final = on_fault
        self._client_collectors: Final[dict[Any, None]] = {}

    def register(self, collector: Any) -> None:
        """Add a collector."""
        super().register(collector)
        if not isinstance(collector, MetricFamilyCollector):
            self._client_collectors[collector] = None

    def unregister(self, collector: Any) -> None:
        """Remove a collector."""
        super().unregister(collector)
        self._client_collectors.pop(collector, None)

    def client_families(self) -> Iterator[ClientFamily]:
        """Collect the families of all collectors except `MetricFamilyCollector`."""
        for collector in list(self._client_collectors):
            try:
                yield from [ClientFamily(metric) for metric in collector.collect()]
            except Exception as error:
                self._on_fault(type(collector).__name__, "not exposed", error)
