"""The series of declared instruments: the most of a page, and rendered with the least work.

The names of an instrument never change, so that its lines are patterns made once; a series keeps
its labels as text in its cell. What is left at each scrape is to put numbers into patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from otel_meta.model import Instrument
from otel_meta.model.units import suffix_of
from otel_meta.runtime.recording.cells import Cell, HistogramCell
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.faults import OnFault
from otel_meta.runtime.text import utf8_text

from .attributes import Labels, body_of, sorted_labels
from .families import CHUNK, Head
from .formats import Format
from .lines import HistogramLines, value_line
from .samples import Buckets, Number, Point, put

_OVERFLOW: Final = "otel_metric_overflow"


class FamilyLike(Protocol):
    """The series of an instrument, of this process or of a whole service."""

    @property
    def instrument(self) -> Instrument[...]:
        """As declared."""
        ...

    def cells(self) -> Iterable[Any]:
        """Each series' cell."""
        ...


class DeclaredMetrics:
    """The live instruments of a service.

    Args:
        families: says which there are, at each scrape.
        identity: labels of every series.
        on_fault: is told of values that cannot be shown.
    """

    def __init__(
        self,
        families: Callable[[], Iterable[FamilyLike]],
        identity: Labels,
        on_fault: OnFault,
    ) -> None:
        self._families: Final = families
        self._identity: Final = identity
        self._on_fault: Final = on_fault
        self._shapes: Final[dict[Instrument[...], Shape]] = {}

    def families(self) -> Iterator[CatalogueFamily]:
        """Every instrument's family; none where their source fails."""
        try:
            found = list(self._families())
        except Exception as error:
            self._on_fault("/metrics", "catalogue", error)
            found = []
        for family in found:
            yield CatalogueFamily(self._shape(family.instrument), family, self._on_fault)

    def _shape(self, instrument: Instrument[...]) -> Shape:
        shape = self._shapes.get(instrument)
        if shape is None:
            shape = self._shapes[instrument] = Shape(instrument, self._identity)
        return shape


class Shape:
    """What is the same in every exposition of an instrument."""

    def __init__(self, instrument: Instrument[...], identity: Labels) -> None:
        traits = instrument.traits
        self.head: Final = Head(
            instrument.prometheus_family,
            traits.prometheus_type,
            instrument.description,
            suffix_of(instrument.unit) or "",
        )
        self.adds_up: Final = traits.is_additive
        self._identity: Final = identity
        self._names: Final = tuple(field.name for field in instrument.label_fields)
        self._patterns: Final[dict[tuple[float, ...], HistogramLines]] = {}

    def labels(self, cell: Cell) -> Labels:
        """The labels of a series."""
        if cell.labels is OVERFLOW:
            return sorted_labels((*self._identity, (_OVERFLOW, "true")))
        own = zip(self._names, map(utf8_text, cell.labels), strict=True)
        return sorted_labels((*self._identity, *own))

    def body(self, cell: Cell) -> str:
        """The labels of a series as text, which its cell keeps."""
        kept = cell.rendered
        if isinstance(kept, str):
            return kept
        cell.rendered = body = body_of(self.labels(cell))
        return body

    def pattern(self, bounds: tuple[float, ...]) -> HistogramLines:
        """The lines of a series with these buckets."""
        pattern = self._patterns.get(bounds)
        if pattern is None:
            pattern = self._patterns[bounds] = HistogramLines(self.head.name, bounds)
        return pattern


class CatalogueFamily:
    """The family of an instrument."""

    def __init__(self, shape: Shape, family: FamilyLike, on_fault: OnFault) -> None:
        self.head: Final = shape.head
        self._shape: Final = shape
        self._family: Final = family
        self._on_fault: Final = on_fault

    def pieces(self, written: Format) -> Iterator[str]:
        """Its lines, some series at a time; none where it has no series."""
        cells = list(self._family.cells())
        lines = self._histograms if self.head.kind == "histogram" else self._values
        head = self.head.text(written)
        for start in range(0, len(cells), CHUNK):
            if text := "".join(lines(cells[start : start + CHUNK], written)):
                yield head + text
                head = ""

    def series(self) -> dict[Labels, Point]:
        """What each series shows."""
        series: dict[Labels, Point] = {}
        for cell, point in self._points(list(self._family.cells())):
            put(series, self._shape.labels(cell), point)
        return series

    def _values(self, cells: list[Any], written: Format) -> list[str]:
        name, body = self.head.sample, self._shape.body
        readings = self._readings(cells)
        exemplars = written.openmetrics and self.head.kind == "counter"
        return [
            value_line(name, cell.rendered or body(cell), at, cell.exemplar if exemplars else None)
            for cell, at in readings
        ]

    def _histograms(self, cells: list[HistogramCell], written: Format) -> list[str]:
        shape = self._shape
        return [
            shape.pattern(cell.bounds).of(
                shape.body(cell), *cell.snapshot(), written, cell.exemplars
            )
            for cell in cells
        ]

    def _points(self, cells: list[Any]) -> Iterator[tuple[Cell, Point]]:
        if self.head.kind == "histogram":
            for cell in cells:
                counts, total = cell.snapshot()
                yield cell, Buckets(cell.bounds, tuple(counts), total, cell.exemplars)
            return
        for cell, value in self._readings(cells):
            exemplar = cell.exemplar if self.head.kind == "counter" else None
            yield cell, Number(value, self._shape.adds_up, exemplar)

    def _readings(self, cells: list[Any]) -> list[tuple[Any, float]]:
        """The cells that have a value which can be shown, each with it."""
        read = [(cell, value) for cell in cells if (value := cell.value) is not None]
        if self.head.kind != "counter":
            return read
        for _, value in read:
            if not value >= 0:  # nor is NaN
                self._on_fault(self.head.sample, "value", f"{value} is no value of a counter")
        return [(cell, value) for cell, value in read if value >= 0]
