"""Metric families of declared instruments: most of a page, hence rendered with little work.

Names of instruments never change, so lines are made from templates, built once per instrument.
The cell of a series caches the rendered labels. A scrape fills in numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any, Final

from otel_meta.model import Instrument
from otel_meta.model.units import suffix_of
from otel_meta.runtime.births.zero_first import FamilyLike, LiveFamily, ZeroFirst
from otel_meta.runtime.histograms.bucket_views import bucket_views
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.cells import Cell, HistogramCell
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.faults import OnFault
from otel_meta.runtime.text import utf8_text

from .attributes import Labels, format_labels, sorted_labels
from .families import CHUNK_SIZE, Metadata
from .metric_points import HistogramPoint, NumberPoint, Point, add_point
from .native_histograms import NativeHistogramTemplate
from .text_format import (
    HistogramTemplate,
    SeriesText,
    TextFormat,
    format_floats,
    number_line,
    series_text,
)

Families = Callable[[], Iterable[LiveFamily]]
"""Returns the live instruments."""

_OVERFLOW: Final = "otel_metric_overflow"
"""https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute, as a label."""


class DeclaredMetrics:
    """The metric families of all live instruments.

    Args:
        families: returns the live instruments, at each scrape.
        identity: labels of every series.
        on_fault: called for values impossible for a counter.
    """

    def __init__(
        self,
        families: Families,
        identity: Labels,
        on_fault: OnFault,
    ) -> None:
        self._families: Final = families
        self._identity: Final = identity
        self._on_fault: Final = on_fault
        self._templates: Final[dict[Instrument[...], FamilyTemplate]] = {}

    def families(self, zero_first: ZeroFirst | None = None) -> Iterator[DeclaredFamily]:
        """Yield the family of each instrument; nothing if the source of instruments fails.

        Args:
            zero_first: shows new series at zero; None shows the value of every series.
        """
        show = _unchanged if zero_first is None else zero_first.scrape().shown
        try:
            live = list(self._families())
        except Exception as error:
            reraise_interruption(error)
            self._on_fault("/metrics", "catalogue", error)
            live = []
        for family in live:
            template = self._template(family.instrument)
            yield DeclaredFamily(template, show(family), self._on_fault)

    def _template(self, instrument: Instrument[...]) -> FamilyTemplate:
        template = self._templates.get(instrument)
        if template is None:
            template = self._templates[instrument] = FamilyTemplate(instrument, self._identity)
        return template


def _unchanged(family: LiveFamily) -> FamilyLike:
    return family


class FamilyTemplate:
    """The constant parts of a family's text: metadata, label names, lines of histograms."""

    def __init__(self, instrument: Instrument[...], identity: Labels) -> None:
        traits = instrument.traits
        self.metadata: Final = Metadata(
            instrument.prometheus_family,
            traits.prometheus_type,
            instrument.description,
            suffix_of(instrument.unit) or "",
        )
        self.additive: Final = traits.is_additive
        self._identity: Final = identity
        self.views: Final = bucket_views(instrument.counted_bounds, instrument.buckets)
        """The views of the counts of a native histogram."""
        self._label_names: Final = tuple(field.name for field in instrument.label_fields)
        self._histograms: Final[dict[tuple[float, ...], HistogramTemplate]] = {}
        self._latest_histogram: HistogramTemplate | None = None

    def labels(self, cell: Cell) -> Labels:
        """Return the labels of a series."""
        if cell.labels is OVERFLOW:
            return sorted_labels((*self._identity, (_OVERFLOW, "true")))
        own = zip(self._label_names, map(utf8_text, cell.labels), strict=True)
        return sorted_labels((*self._identity, *own))

    def series_texts(self, cells: Iterable[Any]) -> list[SeriesText]:
        """Return the unchanging text of each series, which is cached in its cell.

        The start changes if the oldest worker of a merged series ends without totals.
        """
        return [
            cached
            if (cached := cell.rendered) is not None and cached.start_ns == cell.start_ns
            else self._render(cell)
            for cell in cells
        ]

    def histogram(self, bounds: tuple[float, ...]) -> HistogramTemplate:
        """Return the template of series with these bounds: as a rule, the same for all series."""
        latest = self._latest_histogram
        if latest is not None and latest.counted is bounds:
            return latest
        template = self._histograms.get(bounds)
        if template is None:
            template = self._histograms[bounds] = self._histogram_template(bounds)
        self._latest_histogram = template
        return template

    def _histogram_template(self, bounds: tuple[float, ...]) -> HistogramTemplate:
        if self.views is None:
            return HistogramTemplate(self.metadata.name, bounds)
        return NativeHistogramTemplate(self.metadata.name, bounds, self.views)

    def _render(self, cell: Any) -> SeriesText:
        labels = format_labels(self.labels(cell))
        has_start = self.metadata.has_start
        text = (
            series_text(labels, cell.start_ns) if has_start else SeriesText(labels, cell.start_ns)
        )
        cell.rendered = text
        return text


class DeclaredFamily:
    """The metric family of an instrument."""

    def __init__(self, template: FamilyTemplate, family: FamilyLike, on_fault: OnFault) -> None:
        self.metadata: Final = template.metadata
        self._template: Final = template
        self._family: Final = family
        self._on_fault: Final = on_fault

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines, `CHUNK_SIZE` series at a time; nothing for a family without series."""
        cells = iter(self._family.cells())
        render = self._histogram_lines if self.metadata.kind == "histogram" else self._number_lines
        header = self.metadata.header(text_format)
        while chunk := list(islice(cells, CHUNK_SIZE)):
            if text := "".join(render(chunk, text_format)):
                yield header + text
                header = ""

    def series(self) -> dict[Labels, Point]:
        """Return the points by labels."""
        series: dict[Labels, Point] = {}
        for cell, point in self._points(list(self._family.cells())):
            add_point(series, self._template.labels(cell), point)
        return series

    def _number_lines(self, cells: list[Any], text_format: TextFormat) -> list[str]:
        read = self._values(cells)
        name, has_exemplars = self.metadata.sample_name, self.metadata.kind == "counter"
        series = self._template.series_texts([cell for cell, _ in read])
        values = format_floats([value for _, value in read])
        exemplars = [cell.exemplar for cell, _ in read] if has_exemplars else repeat(None)
        return [
            number_line(name, text, value, text_format, exemplar)
            for text, value, exemplar in zip(series, values, exemplars, strict=False)
        ]

    def _histogram_lines(self, cells: list[HistogramCell], text_format: TextFormat) -> list[str]:
        template = self._template
        snapshots = [cell.snapshot() for cell in cells]
        totals = format_floats([total for _, total in snapshots])
        return [
            template.histogram(cell.bounds).render(
                series, counts, total, text_format, cell.exemplars
            )
            for cell, series, (counts, _), total in zip(
                cells, template.series_texts(cells), snapshots, totals, strict=True
            )
        ]

    def _points(self, cells: list[Any]) -> Iterator[tuple[Cell, Point]]:
        if self.metadata.kind == "histogram":
            for cell in cells:
                yield cell, self._histogram_point(cell)
            return
        for cell, value in self._values(cells):
            exemplar = cell.exemplar if self.metadata.kind == "counter" else None
            yield cell, NumberPoint(value, self._template.additive, exemplar, cell.start_ns)

    def _histogram_point(self, cell: HistogramCell) -> HistogramPoint:
        (counts, total), views = cell.snapshot(), self._template.views
        if views is None:
            return HistogramPoint(cell.bounds, tuple(counts), total, cell.exemplars, cell.start_ns)
        declared, exemplars = views.declared(counts), views.declared_exemplars(cell.exemplars)
        return HistogramPoint(views.bounds, tuple(declared), total, exemplars, cell.start_ns)

    def _values(self, cells: list[Any]) -> list[tuple[Any, float]]:
        """Pair cells with values; leave out cells without a value or with an impossible value."""
        read = [(cell, value) for cell in cells if (value := cell.value) is not None]
        if self.metadata.kind != "counter":
            return read
        impossible = [value for _, value in read if not value >= 0]  # nor is NaN
        for value in impossible:
            detail = f"{value} is not a possible value of a counter"
            self._on_fault(self.metadata.sample_name, "value", detail)
        return [(cell, value) for cell, value in read if value >= 0] if impossible else read
