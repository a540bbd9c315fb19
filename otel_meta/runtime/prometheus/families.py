"""Metric families as a page shows them, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from .attributes import Labels, body_of
from .formats import Format
from .lines import HistogramLines, help_text, value_line
from .samples import Number, Point, put

CHUNK: Final = 32
"""Series in a piece of text: what is rendered at a stretch, while other threads wait."""

_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "counter": ("_total", "_created"),
    "summary": ("_count", "_sum", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "info": ("_info",),
}
"""What the names of a family's samples end in, where it is not the family's own name."""

_IN_TEXT: Final[Mapping[str, str]] = {"counter": "counter", "info": "gauge"}
"""Types whose family has its samples' name in the plain text format, and their types there."""


@dataclass(frozen=True)
class Head:
    """What a family is called, and how it is described.

    Args:
        name: as OpenMetrics has it: a counter's without ``_total``.
        kind: its type in OpenMetrics.
        help: its description; "" for none.
        unit: the words that the name ends in; "" for none.
    """

    name: str
    kind: str
    help: str = ""
    unit: str = ""

    @cached_property
    def sample(self) -> str:
        """The name of its samples, where all have one name."""
        return self.name + _ENDINGS[self.kind][0] if self.kind in _IN_TEXT else self.name

    @cached_property
    def names(self) -> frozenset[str]:
        """Its name and those of its samples, which no other family of a page may have."""
        return frozenset((self.name, *(self.name + end for end in _ENDINGS.get(self.kind, ()))))

    def text(self, written: Format) -> str:
        """The lines before the first series."""
        name = self.name if written.openmetrics else self.sample
        kind = self.kind if written.openmetrics else _IN_TEXT.get(self.kind, self.kind)
        lines = [f"# TYPE {name} {kind}\n"]
        if self.help:
            lines.insert(0, f"# HELP {name} {help_text(self.help, written)}\n")
        if self.unit and written.openmetrics:
            lines.append(f"# UNIT {name} {self.unit}\n")
        return "".join(lines)


class MetricFamily(Protocol):
    """A family that a page can show."""

    @property
    def head(self) -> Head:
        """Its name and type."""
        ...

    def pieces(self, written: Format) -> Iterator[str]:
        """Its lines, some series at a time; none where it has no series."""
        ...

    def series(self) -> dict[Labels, Point] | None:
        """What each series shows; None where that cannot be joined with another family's."""
        ...


class SeriesFamily:
    """A family whose series are at hand."""

    def __init__(self, head: Head, series: dict[Labels, Point]) -> None:
        self.head: Final = head
        self._series: Final = series
        self._histograms: Final[dict[tuple[float, ...], HistogramLines]] = {}

    def pieces(self, written: Format) -> Iterator[str]:
        """Its lines, some series at a time; none where it has no series."""
        if self._series:
            yield self.head.text(written)
        for labels, point in self._series.items():
            yield self._lines(body_of(labels), point, written)

    def series(self) -> dict[Labels, Point]:
        """What each series shows."""
        return self._series

    def _lines(self, body: str, point: Point, written: Format) -> str:
        if isinstance(point, Number):
            exemplar = point.exemplar if written.openmetrics else None
            return value_line(self.head.sample, body, point.value, exemplar)
        pattern = self._histograms.get(point.bounds)
        if pattern is None:
            pattern = HistogramLines(self.head.name, point.bounds)
            self._histograms[point.bounds] = pattern
        return pattern.of(body, point.counts, point.sum, written, point.exemplars)


def joined(first: MetricFamily, later: MetricFamily) -> SeriesFamily:
    """One family with the series of both, described as the first is.

    Raises:
        ValueError: they cannot be joined: their types differ, or the buckets of a series, or one
            keeps its series to itself.
    """
    series, more = first.series(), later.series()
    if series is None or more is None or first.head.kind != later.head.kind:
        raise ValueError(f"there is a {first.head.kind} of this name already")
    together = dict(series)
    for labels, point in more.items():
        put(together, labels, point)
    return SeriesFamily(first.head, together)
