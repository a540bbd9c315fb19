"""Metric families of declared instruments: most of a page, hence rendered with little work.

Names of instruments never change, so lines are made from templates, built once per instrument.
The cell of a series caches the rendered labels. A scrape fills in numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
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
from .histogram_lines import HistogramTemplate
from .metric_points import HistogramPoint, NumberPoint, Point, add_point
from .native_histograms import NativeHistogramTemplate
from .text_format import (
    SeriesText,
    TextFormat,
    format_floats,
    number_lines,
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
        """Return the template of series that count by these bounds."""
        template = self._histograms.get(bounds)
        if template is None:
            template = self._histograms[bounds] = self._histogram_template(bounds)
        return template

    def _histogram_template(self, bounds: tuple[float, ...]) -> HistogramTemplate:
        if self.views is None:
            return HistogramTemplate(self.metadata.name, bounds)
        return NativeHistogramTemplate(self.metadata.name, self.views)

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
        self._is_counter: Final = template.metadata.kind == "counter"
        self._template: Final = template
        self._family: Final = family
        self._on_fault: Final = on_fault

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Render the lines, `CHUNK_SIZE` series at a time; nothing for a family without series."""
        cells = iter(self._family.cells())
        render = self._histogram_lines if self.metadata.kind == "histogram" else self._number_lines
        header = self.metadata.header(text_format)
        while chunk := list(islice(cells, CHUNK_SIZE)):
            if text := render(chunk, text_format):
                yield header + text
                header = ""

    def series(self) -> dict[Labels, Point]:
        """Return the points by labels."""
        series: dict[Labels, Point] = {}
        for cell, point in self._points(list(self._family.cells())):
            add_point(series, self._template.labels(cell), point)
        return series

    def _number_lines(self, cells: list[Any], text_format: TextFormat) -> str:
        cells, values = self._values(cells)
        has_exemplars = text_format.openmetrics and self._is_counter
        return number_lines(
            self.metadata.sample_name,
            self._template.series_texts(cells),
            format_floats(values),
            [cell.exemplar for cell in cells] if has_exemplars else (),
            text_format,
        )

    def _histogram_lines(self, cells: list[HistogramCell], text_format: TextFormat) -> str:
        return self._template.histogram(cells[0].bounds).render(
            self._template.series_texts(cells),
            [cell.read() for cell in cells],
            [cell.exemplars for cell in cells],
            text_format,
        )

    def _points(self, cells: list[Any]) -> Iterator[tuple[Cell, Point]]:
        if self.metadata.kind == "histogram":
            for cell in cells:
                yield cell, self._histogram_point(cell)
            return
        for cell, value in zip(*self._values(cells), strict=True):
            exemplar = cell.exemplar if self._is_counter else None
            yield cell, NumberPoint(value, self._template.additive, exemplar, cell.start_ns)

    def _histogram_point(self, cell: HistogramCell) -> HistogramPoint:
        (counts, total), views = cell.snapshot(), self._template.views
        if views is None:
            return HistogramPoint(cell.bounds, tuple(counts), total, cell.exemplars, cell.start_ns)
        declared, exemplars = views.declared(counts), views.declared_exemplars(cell.exemplars)
        return HistogramPoint(views.bounds, tuple(declared), total, exemplars, cell.start_ns)

    def _values(self, cells: list[Any]) -> tuple[list[Any], list[float]]:
        """Return cells and values, without those that have no value or an impossible value."""
        values = [cell.value for cell in cells]
        is_counter = self._is_counter
        left_out = [v for v in values if v is None or (is_counter and not v >= 0)]  # nor is NaN
        if not left_out:
            return cells, values
        for value in left_out:
            if value is not None:
                detail = f"{value} is not a possible value of a counter"
                self._on_fault(self.metadata.sample_name, "value", detail)
        kept = [(cell, v) for cell, v in zip(cells, values, strict=True) if v not in left_out]
        return [cell for cell, _ in kept], [v for _, v in kept]
