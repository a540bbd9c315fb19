"""The lines of histograms, rendered for many series together.

The text of a series is a row of fragments: some are constant, others differ from series to series.
The rows of all series are one list. A column of this list is filled by one assignment to a slice,
all counts become text in one call, and the list is joined once. A series thus costs a few
nanoseconds a fragment, and no template is parsed again for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Final

import orjson

from otel_meta.runtime.recording.exemplars import Exemplar

from .text_format import (
    SeriesText,
    TextFormat,
    exemplar_suffix,
    format_float,
    format_floats,
    format_seconds,
)

Numbers = Sequence[float]
"""Floats: the count of each bucket, not cumulative, of which the last is unbounded, and the sum."""
Exemplars = Mapping[int, Exemplar]
"""Exemplars by the index of their bucket."""


class HistogramTemplate:
    """The constant fragments of a histogram's series.

    The sample names are those of
    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#histogram-1

    Args:
        name: the family's name.
        bounds: the upper bounds of the buckets, ascending and finite.
    """

    def __init__(self, name: str, bounds: tuple[float, ...]) -> None:
        texts = (*map(format_float, bounds), "+Inf")
        self._name: Final = name
        self._width: Final = len(texts)
        self._no_negative_bounds: Final = not bounds or bounds[0] >= 0
        self._composite: Final = _composite_row(name, texts)
        self._lines: Final = _lines_row(name, texts)

    def render(
        self,
        series: Sequence[SeriesText],
        numbers: Sequence[Numbers],
        exemplars: Sequence[Exemplars],
        text_format: TextFormat,
    ) -> str:
        """Render the lines of some series.

        Args:
            series: the labels and the starts.
            numbers: the numbers of each series.
            exemplars: the exemplars of each series; OpenMetrics alone shows them.
            text_format: the format of the lines.
        """
        declared = self._declared(numbers)
        found = [self._declared_exemplars(each) if each else each for each in exemplars]
        counts = self._cumulative(declared)
        totals = format_floats([each[-1] for each in declared])
        if text_format.composite:
            return self._render_composite(series, counts, totals, self._fields(numbers), found)
        return self._render_lines(series, counts, totals, found, text_format)

    def _fields(self, numbers: Sequence[Numbers]) -> Sequence[str]:  # noqa: ARG002 - of a subclass
        """Return further fields of each series in OpenMetrics 2.0; nothing for none."""
        return ()

    def _declared(self, numbers: Sequence[Numbers]) -> Sequence[Numbers]:
        """Return the numbers by declared buckets."""
        return numbers

    def _declared_exemplars(self, exemplars: Exemplars) -> Exemplars:
        """Return the exemplars by declared buckets."""
        return exemplars

    def _append_exemplars(self, counts: list[str], exemplars: Sequence[Exemplars]) -> None:
        """Append exemplars to the lines of their buckets, which end with the counts."""
        for first, found in zip(range(0, len(counts), self._width), exemplars, strict=True):
            for bucket, exemplar in found.items():
                counts[first + bucket] += exemplar_suffix(exemplar)

    def _cumulative(self, numbers: Sequence[Numbers]) -> list[str]:
        """Return the cumulative counts of all series, one series after the other."""
        cumulative = list(chain.from_iterable(map(accumulate, numbers)))
        del cumulative[self._width :: self._width + 1]  # which have the sums in them
        return _integers(cumulative)

    def _render_composite(
        self,
        series: Sequence[SeriesText],
        counts: Sequence[str],
        totals: Sequence[str],
        fields: Sequence[str],
        exemplars: Sequence[Exemplars],
    ) -> str:
        width, step = self._width, len(self._composite)
        rows = self._composite * len(series)
        rows[1::step], _, rows[step - 2 :: step] = zip(*series, strict=True)
        rows[3::step] = counts[width - 1 :: width]
        rows[5::step] = totals
        if fields:
            rows[6::step] = fields
        for bucket in range(width):
            rows[8 + 2 * bucket :: step] = counts[bucket::width]
        for end, found in zip(range(step - 2, len(rows), step), exemplars, strict=True):
            if found:
                rows[end] += _by_bucket(found)
        return "".join(rows)

    def _render_lines(
        self,
        series: Sequence[SeriesText],
        counts: list[str],
        totals: Sequence[str],
        exemplars: Sequence[Exemplars],
        text_format: TextFormat,
    ) -> str:
        width, step = self._width, len(self._lines)
        rows = self._lines * len(series)
        rows[step - 1 :: step] = [
            self._after(*each, text_format)
            for each in zip(series, counts[width - 1 :: width], totals, strict=True)
        ]
        if text_format.openmetrics:
            self._append_exemplars(counts, exemplars)
        labels = [f"{each.labels}," if each.labels else "" for each in series]
        for bucket in range(width):
            rows[4 * bucket + 1 :: step] = labels
            rows[4 * bucket + 3 :: step] = counts[bucket::width]
        return "".join(rows)

    def _after(self, series: SeriesText, count: str, total: str, text_format: TextFormat) -> str:
        """Render what follows the last bucket.

        OpenMetrics 1.0 forbids a sum where the sum can decrease, and a count without a sum:
        https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#histogram
        """
        name, labels = self._name, f"{{{series.labels}}}" if series.labels else ""
        created = (
            f"{name}_created{labels} {format_seconds(series.start_ns)}\n"
            if text_format.created and series.start
            else ""
        )
        if text_format.openmetrics and not (self._no_negative_bounds and total[0].isdigit()):
            return f"\n{created}"
        return f"\n{name}_count{labels} {count}\n{name}_sum{labels} {total}\n{created}"


def _integers(values: list[float]) -> list[str]:
    """Write floats without a fraction.

    One call of orjson and a split at ".0," take a third of the time of a conversion to integers. A
    value with an exponent, beyond 1e16, has no ".0": then there are fewer texts than values.
    """
    text = orjson.dumps(values).decode()
    texts = text[1:-3].split(".0,")
    if len(texts) == len(values) and text.endswith(".0]"):
        return texts
    return [str(int(value)) for value in values]


def _by_bucket(exemplars: Exemplars) -> str:
    """Render exemplars in the order of their buckets."""
    return "".join(exemplar_suffix(exemplar) for _, exemplar in sorted(exemplars.items()))


def _composite_row(name: str, bounds: Sequence[str]) -> list[str]:
    """Return a line of OpenMetrics 2.0, in which the empty fragments differ from series to series.

    These are the labels (1), the count (3), the sum (5), the buckets (8, 10, ...), and the end of
    the line (the last but one). The fragment 6 differs in native histograms.
    """
    row = [f"{name}{{", "", "} {count:", "", ",sum:", "", ","]
    for before, bound in zip(_separators("bucket:[", ",", bounds), bounds, strict=True):
        row += (f"{before}{bound}:", "")
    return [*row, "]}", "", "\n"]


def _lines_row(name: str, bounds: Sequence[str]) -> list[str]:
    """Return lines of the other formats; the empty fragments differ from series to series.

    These are the labels (1, 5, ...), the buckets (3, 7, ...), and what follows them (the last).
    """
    row: list[str] = []
    for before, bound in zip(_separators("", "\n", bounds), bounds, strict=True):
        row += (f"{before}{name}_bucket{{", "", f'le="{bound}"}} ', "")
    return [*row, ""]


def _separators(first: str, others: str, items: Sequence[str]) -> list[str]:
    return [first, *[others] * (len(items) - 1)]
