"""The lines of native histograms, which count by finer buckets than the declared ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_meta.runtime.recording.bucket_views import BucketViews
from otel_meta.runtime.recording.exemplars import Exemplar

from .text_format import HistogramTemplate, TextFormat


class NativeHistogramTemplate(HistogramTemplate):
    """The lines of a native histogram's series, without counts and labels.

    Args:
        name: the family's name.
        views: the views of the counts of a cell.
    """

    def __init__(self, name: str, views: BucketViews) -> None:
        super().__init__(name, views.bounds)
        self._views: Final = views

    def render(
        self,
        labels: str,
        counts: list[int] | tuple[int, ...],
        total: float,
        text_format: TextFormat,
        exemplars: Mapping[int, Exemplar],
    ) -> str:
        """Render the declared buckets, as of a histogram that is not native."""
        views = self._views
        declared, shown = views.declared(counts), views.declared_exemplars(exemplars)
        return super().render(labels, declared, total, text_format, shown)
