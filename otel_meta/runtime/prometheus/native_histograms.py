"""The lines of native histograms, which count by finer buckets than the declared ones.

OpenMetrics 2.0: https://prometheus.io/docs/specs/om/open_metrics_spec_2_0/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from otel_meta.model.bucket_bounds import SCHEMA
from otel_meta.runtime.histograms.bucket_views import BucketViews, ExponentialCounts, Span

from .histogram_lines import Exemplars, HistogramTemplate, Numbers
from .text_format import format_float


class NativeHistogramTemplate(HistogramTemplate):
    """The lines of a native histogram's series, without counts and labels.

    Args:
        name: the family's name.
        views: the views of the counts.
    """

    def __init__(self, name: str, views: BucketViews) -> None:
        super().__init__(name, views.bounds)
        self._views: Final = views

    def _fields(self, numbers: Sequence[Numbers]) -> Sequence[str]:
        """Return the exponential buckets of each series."""
        return [_fields(self._views.exponential(_counts(each))) for each in numbers]

    def _declared(self, numbers: Sequence[Numbers]) -> Sequence[Numbers]:
        """Return the numbers by declared buckets."""
        return [(*map(float, self._views.declared(_counts(each))), each[-1]) for each in numbers]

    def _declared_exemplars(self, exemplars: Exemplars) -> Exemplars:
        """Return the latest exemplar of each declared bucket."""
        return self._views.declared_exemplars(exemplars)


def _counts(numbers: Numbers) -> list[int]:
    return list(map(int, numbers[:-1]))


def _fields(found: ExponentialCounts) -> str:
    """Render the fields of a native histogram, each with a comma after it, and one before all."""
    zeros = f"zero_threshold:{format_float(found.zero_threshold)},zero_count:{found.zero_count}"
    fields = f",schema:{SCHEMA},{zeros},"
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
