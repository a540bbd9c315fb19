"""Metric families: the common form of declared, SDK and prometheus_client metrics on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from .attributes import Labels, format_labels
from .histogram_lines import HistogramTemplate
from .metric_points import NumberPoint, Point, add_point
from .text_format import (
    TextFormat,
    escape_help,
    format_float,
    number_lines,
    series_text,
)

CHUNK_SIZE: Final = 64
"""Series in a chunk of a page. The renderer can release the GIL after each chunk."""

_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "counter": ("_total", "_created"),
    "summary": ("_count", "_sum", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "info": ("_info",),
}
"""Suffixes of sample names by the type of the family; other types have none.

https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#suffixes
"""

_TEXT_FORMAT_TYPES: Final[Mapping[str, str]] = {"counter": "counter", "info": "gauge"}
"""Type in OpenMetrics -> type in plain text, where the family has the name of the sample."""

_GROWING_TYPES: Final = frozenset({"counter", "histogram"})


@dataclass(frozen=True)
class Metadata:
    """The name, type, unit and description of a metric family.

    Args:
        name: the name in OpenMetrics: without ``_total`` for counters.
        kind: the type in OpenMetrics.
        help: the description; "" for none.
        unit: the unit in words, a suffix of the name; "" for none.
        sample_names: names of samples, if they may differ from those of the type.
    """

    name: str
    kind: str
    help: str = ""
    unit: str = ""
    sample_names: frozenset[str] = frozenset()

    @cached_property
    def sample_name(self) -> str:
        """The name of the samples. Meaningless for histograms and summaries."""
        is_suffixed = self.kind in _TEXT_FORMAT_TYPES
        return self.name + _SUFFIXES[self.kind][0] if is_suffixed else self.name

    @property
    def has_start(self) -> bool:
        """True if series grow from zero, and the time of the zero matters."""
        return self.kind in _GROWING_TYPES

    @cached_property
    def reserved_names(self) -> frozenset[str]:
        """The names of the family and of its samples. No other family of a page can use these."""
        suffixes = _SUFFIXES.get(self.kind, ())
        names = (self.name, *(self.name + suffix for suffix in suffixes))
        return self.sample_names.union(names)

    def header(self, text_format: TextFormat) -> str:
        """Render the HELP, TYPE and UNIT lines that precede the samples.

        https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#metricfamily-1
        """
        is_suffixed = text_format.composite or not text_format.openmetrics
        name = self.sample_name if is_suffixed else self.name
        is_known = text_format.openmetrics
        kind = self.kind if is_known else _TEXT_FORMAT_TYPES.get(self.kind, self.kind)
        lines = [f"# TYPE {name} {kind}\n"]
        if self.help:
            lines.insert(0, f"# HELP {name} {escape_help(self.help, text_format)}\n")
        if self.unit and text_format.openmetrics:
            lines.append(f"# UNIT {name} {self.unit}\n")
        return "".join(lines)


class MetricFamily(Protocol):
    """A metric family, ready to be rendered."""

    @property
    def metadata(self) -> Metadata:
        """Name, type, unit and description."""
        ...

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines, a few series at a time; nothing for a family without series."""
        ...

    def series(self) -> dict[Labels, Point] | None:
        """Return the points by labels; None if the family cannot be merged."""
        ...


class SeriesFamily:
    """A metric family whose points are in memory."""

    def __init__(self, metadata: Metadata, series: dict[Labels, Point]) -> None:
        self.metadata: Final = metadata
        self._series: Final = series
        self._templates: Final[dict[tuple[float, ...], HistogramTemplate]] = {}

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines, one series at a time; nothing for a family without series."""
        if self._series:
            yield self.metadata.header(text_format)
        for labels, point in self._series.items():
            yield self._lines(format_labels(labels), point, text_format)

    def series(self) -> dict[Labels, Point]:
        """Return the points by labels."""
        return self._series

    def _lines(self, labels: str, point: Point, text_format: TextFormat) -> str:
        series = series_text(labels, point.start_ns if self.metadata.has_start else 0)
        if isinstance(point, NumberPoint):
            name, value = self.metadata.sample_name, format_float(point.value)
            return number_lines(name, [series], [value], [point.exemplar], text_format)
        template = self._templates.get(point.bounds)
        if template is None:
            template = HistogramTemplate(self.metadata.name, point.bounds)
            self._templates[point.bounds] = template
        numbers = (*map(float, point.counts), point.sum)
        return template.render([series], [numbers], [point.exemplars], text_format)


def merge(first: MetricFamily, later: MetricFamily) -> SeriesFamily:
    """Merge two families of the same name. Metadata comes from the first.

    Raises:
        ValueError: the types differ, series with the same labels have different buckets, or
            a family does not give access to points.
    """
    series, later_series = first.series(), later.series()
    if series is None or later_series is None or first.metadata.kind != later.metadata.kind:
        kind = first.metadata.kind
        raise ValueError(f"the page has a metric of this name and the type {kind} already")
    merged = dict(series)
    for labels, point in later_series.items():
        add_point(merged, labels, point)
    return SeriesFamily(first.metadata, merged)
