"""The bridge to prometheus_client, in both directions.

`ClientFamily` puts prometheus_client's metrics on our page. `MetricFamilyCollector` puts our
families into a prometheus_client registry, for other renderers and pushers of the registry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from copy import copy
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
from prometheus_client.samples import Sample

from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import OnFault

from .attributes import Labels
from .client_lines import composite_lines
from .families import Metadata, MetricFamily
from .metric_points import HistogramPoint, Point
from .page import EOF, merge_families
from .text_format import TextFormat

_INVALID_IN_NAMES: Final = re.compile(r"^[0-9]|[^a-zA-Z0-9_:]")


class ClientFamily:
    """A metric family of prometheus_client.

    Rendered by prometheus_client, because `metric_points` lacks some types and timestamps, except
    in OpenMetrics 2.0, of which prometheus_client writes native histograms only. Of two
    samples of one series, the first is rendered: a page with both would be invalid.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric: Final = copy(metric)  # the original may belong to a custom collector
        self._metric.samples = _without_duplicates(metric.samples)
        names = frozenset(_valid_name(sample.name) for sample in self._metric.samples)
        self.metadata: Final = Metadata(_valid_name(metric.name), metric.type, sample_names=names)

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines in one chunk; nothing for a family without series.

        Raises:
            ValueError: prometheus_client cannot render the family, or a counter is negative.
        """
        if self._metric.samples:
            try:
                _refuse_negative(self._metric)
                text = self._render(text_format)
            except Exception as error:  # whose further arguments are the whole metric
                reraise_interruption(error)
                raise ValueError(str(error.args[0]) if error.args else repr(error)) from error
            yield text

    def series(self) -> None:
        """Return None: the family cannot be merged."""

    def _render(self, text_format: TextFormat) -> str:
        if text_format.composite:
            return composite_lines(self._metric, self.metadata.name)
        renderer: Any = openmetrics if text_format.openmetrics else exposition
        text: bytes = renderer.generate_latest(_SingleMetricRegistry(self._metric))
        return text.removesuffix(EOF).decode()


def _valid_name(name: str) -> str:
    """Return a name as prometheus_client renders it."""
    return _INVALID_IN_NAMES.sub("_", name)


def _without_duplicates(samples: Iterable[Sample]) -> list[Sample]:
    unique: dict[object, Sample] = {}
    for sample in samples:
        series = (sample.name, frozenset(sample.labels.items()), sample.timestamp)
        unique.setdefault(series, sample)
    return list(unique.values())


def _refuse_negative(metric: Metric) -> None:
    for sample in metric.samples if metric.type == "counter" else ():
        if not sample.value >= 0:  # nor is NaN
            raise ValueError(f"{sample.value} is not a possible value of a counter")


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
    """A registry whose collectors can be collected one by one.

    In prometheus_client's own registry, a failing collector fails the scrape.
    """

    def __init__(self) -> None:
        super().__init__(auto_describe=False)
        self._lock: Any = ForkSafeLock()
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

    def client_collectors(self) -> list[Any]:
        """Return all collectors except `MetricFamilyCollector`."""
        return list(self._client_collectors)
