"""The lines of native histograms, which count by finer buckets than the declared ones.

OpenMetrics 2.0: https://prometheus.io/docs/specs/om/open_metrics_spec_2_0/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from otel_meta.model.bucket_bounds import SCHEMA
from otel_meta.runtime.histograms.bucket_views import BucketViews, ExponentialCounts, Span
from otel_meta.runtime.recording.exemplars import Exemplar

from .text_format import HistogramTemplate, SeriesText, TextFormat, format_float

_BUCKETS: Final = "bucket:["
"""Begins the declared buckets of a line. Nothing after them contains it."""


class NativeHistogramTemplate(HistogramTemplate):
    """The lines of a native histogram's series, without counts and labels.

    Args:
        name: the family's name.
        counted: the bounds of the counts.
        views: the views of the counts.
    """

    def __init__(self, name: str, counted: tuple[float, ...], views: BucketViews) -> None:
        super().__init__(name, views.bounds)
        self.counted = counted
        self._views: Final = views

    def render(
        self,
        series: SeriesText,
        counts: Sequence[int],
        total: str,
        text_format: TextFormat,
        exemplars: Mapping[int, Exemplar],
    ) -> str:
        """Render the declared buckets; in OpenMetrics 2.0, the exponential buckets too."""
        views = self._views
        declared, shown = views.declared(counts), views.declared_exemplars(exemplars)
        lines = super().render(series, declared, total, text_format, shown)
        if not text_format.composite:
            return lines
        before, buckets, after = lines.rpartition(_BUCKETS)
        return f"{before}{_fields(views.exponential(counts))}{buckets}{after}"


def _fields(found: ExponentialCounts) -> str:
    """Render the fields of a native histogram, each with a comma after it."""
    zeros = f"zero_threshold:{format_float(found.zero_threshold)},zero_count:{found.zero_count}"
    fields = f"schema:{SCHEMA},{zeros},"
    if not found.spans:
        return fields
    spans = ",".join(_offsets(found.spans))
    counts = ",".join(str(count) for span in found.spans for count in span.counts)
    return f"{fields}positive_spans:[{spans}],positive_buckets:[{counts}],"


def _offsets(spans: Sequence[Span]) -> Iterator[str]:
    """Yield each span as the empty buckets before it, from bucket 0 on, and its length."""
    end = 0
    for span in spans:
        yield f"{span.first - end}:{len(span.counts)}"
        end = span.first + len(span.counts)
