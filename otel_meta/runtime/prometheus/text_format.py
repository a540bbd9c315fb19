"""The syntax of the text formats read by Prometheus.

Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
OpenMetrics 1.0.0: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
OpenMetrics 2.0: https://prometheus.io/docs/specs/om/open_metrics_spec_2_0/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, NamedTuple

import orjson

from otel_meta.runtime.recording.exemplars import Exemplar

_SPECIAL_FLOATS: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
_PLACEHOLDER: Final = "\0"
"""Stands for the labels of a series in a histogram's template. No rendered number contains it."""


@dataclass(frozen=True)
class TextFormat:
    """A text format and its media type."""

    media_type: str
    version: str
    openmetrics: bool = False
    """True for a page with exemplars and units, and with ``# EOF`` as the last line."""
    composite: bool = False
    """True if a histogram is one line, and a series says its start (OpenMetrics 2.0)."""
    created: bool = False
    """True if the start of a series is a sample of its own, with the suffix ``_created``."""

    @property
    def content_type(self) -> str:
        """The Content-Type header of a page in this format."""
        return f"{self.media_type}; version={self.version}; charset=utf-8"


TEXT: Final = TextFormat("text/plain", "0.0.4")
"""The Prometheus text format."""

OPENMETRICS: Final = TextFormat("application/openmetrics-text", "1.0.0", openmetrics=True)
"""The OpenMetrics text format."""

OPENMETRICS_CREATED: Final = replace(OPENMETRICS, created=True)
"""The OpenMetrics text format with the start of each counter and histogram."""

OPENMETRICS2: Final = TextFormat(
    "application/openmetrics-text", "2.0.0", openmetrics=True, composite=True
)
"""The OpenMetrics text format, version 2.0, whose specification is a draft."""


class SeriesText(NamedTuple):
    """The unchanging text of a series.

    Args:
        labels: the text between the braces; "" for a series without labels.
        start_ns: the start of the series in nanoseconds since the epoch.
        start: the start in the syntax of OpenMetrics 2.0, with a space before it; "" if it is
            unknown or has no meaning, as for a gauge.
    """

    labels: str
    start_ns: int = 0
    start: str = ""


def series_text(labels: str, start_ns: int) -> SeriesText:
    """Return the text of a series with these labels and this start."""
    return SeriesText(labels, start_ns, f" st@{format_seconds(start_ns)}" if start_ns else "")


def format_seconds(time_ns: int) -> str:
    """Write a time as seconds since the epoch, with milliseconds, as Prometheus stores times."""
    seconds, nanoseconds = divmod(time_ns, 10**9)
    return f"{seconds}.{nanoseconds // 10**6:03d}"


def format_float(value: float) -> str:
    """Write a float in the syntax of all formats."""
    text = repr(value)
    return _SPECIAL_FLOATS.get(text, text)


def format_floats(values: Sequence[float]) -> list[str]:
    """Write floats in the syntax of all formats, in a fraction of the time of `format_float`."""
    text = orjson.dumps(values)[1:-1].decode()
    if not text or "null" in text:  # which orjson writes for infinity and for "not a number"
        return [format_float(value) for value in values]
    return text.split(",")


def number_line(
    name: str,
    series: SeriesText,
    value: str,
    text_format: TextFormat,
    exemplar: Exemplar | None = None,
) -> str:
    """Render the lines of a counter's or a gauge's series.

    Args:
        name: the sample's name.
        series: the labels, and the start of a counter; a gauge has no start.
        value: the sample's value.
        text_format: the format of the lines.
        exemplar: a counter's exemplar; OpenMetrics alone shows it.
    """
    sample = f"{name}{{{series.labels}}}" if series.labels else name
    start = series.start if text_format.composite else ""
    if exemplar is not None and text_format.openmetrics:
        start += exemplar_suffix(exemplar)
    line = f"{sample} {value}{start}\n"
    return line + _created_line(name, series) if text_format.created else line


def _created_line(name: str, series: SeriesText) -> str:
    if not series.start:
        return ""
    braces = f"{{{series.labels}}}" if series.labels else ""
    family = name.removesuffix("_total")
    return f"{family}_created{braces} {format_seconds(series.start_ns)}\n"


def escape_help(text: str, text_format: TextFormat) -> str:
    """Escape a description for a HELP line."""
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if text_format.openmetrics else escaped


class HistogramTemplate:
    """The lines of a histogram's series, without counts and labels.

    Rendering is one ``%`` and one ``replace`` per series. The sample names are those of
    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#histogram-1

    Args:
        name: the family's name.
        bounds: the upper bounds of the buckets, ascending and finite.
    """

    def __init__(self, name: str, bounds: tuple[float, ...]) -> None:
        texts = (*map(format_float, bounds), "+Inf")
        self.counted = bounds
        """The bounds of the counts that are rendered."""
        self._created: Final = f"{name}_created{{{_PLACEHOLDER}}} %s\n"
        self._buckets: Final = "".join(
            f'{name}_bucket{{{_PLACEHOLDER},le="{bound}"}} %d\n' for bound in texts
        )
        totals = f"{name}_count{{{_PLACEHOLDER}}} %d\n{name}_sum{{{_PLACEHOLDER}}} %s\n"
        self._buckets_and_totals: Final = self._buckets + totals
        self._no_negative_bounds: Final = not bounds or bounds[0] >= 0
        self._name: Final = name
        self._thresholds: Final = ",".join(f"{bound}:%d" for bound in texts)

    def render(
        self,
        series: SeriesText,
        counts: Sequence[int],
        total: str,
        text_format: TextFormat,
        exemplars: Mapping[int, Exemplar],
    ) -> str:
        """Render the lines of a series.

        OpenMetrics 1.0 forbids a sum where the sum can decrease, and a count without a sum:
        https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#histogram

        Args:
            series: the labels and the start.
            counts: values in each bucket, not cumulative; the last bucket is unbounded.
            total: the sum of the values.
            text_format: the format of the lines.
            exemplars: exemplars by the index of their bucket; OpenMetrics alone shows them.
        """
        cumulative = tuple(accumulate(counts))
        if text_format.composite:
            buckets = self._thresholds % cumulative
            after = f"{series.start}{_by_bucket(exemplars)}" if exemplars else series.start
            return (
                f"{self._name}{{{series.labels}}} "
                f"{{count:{cumulative[-1]},sum:{total},bucket:[{buckets}]}}{after}\n"
            )
        if text_format.openmetrics and not (self._no_negative_bounds and total[0].isdigit()):
            lines = self._buckets % cumulative
        else:
            lines = self._buckets_and_totals % (*cumulative, cumulative[-1], total)
        if text_format.openmetrics and exemplars:
            lines = _append_exemplars(lines, exemplars)
        if text_format.created and series.start:
            lines += self._created % format_seconds(series.start_ns)
        labels = series.labels
        return lines.replace(_PLACEHOLDER, labels) if labels else _without_labels(lines)


def _append_exemplars(text: str, exemplars: Mapping[int, Exemplar]) -> str:
    lines = text.split("\n")
    for bucket, exemplar in list(exemplars.items()):  # other threads add to the mapping
        lines[bucket] += exemplar_suffix(exemplar)
    return "\n".join(lines)


def exemplar_suffix(exemplar: Exemplar) -> str:
    """Render an exemplar: trace and span, value, seconds since the epoch.

    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#exemplars-1
    """
    ids = f'trace_id="{exemplar.trace_id:032x}",span_id="{exemplar.span_id:016x}"'
    value = format_float(exemplar.value)
    return f" # {{{ids}}} {value} {format_seconds(exemplar.time_ns)}"


def _by_bucket(exemplars: Mapping[int, Exemplar]) -> str:
    """Render exemplars in the order of their buckets."""
    return "".join(exemplar_suffix(exemplar) for _, exemplar in sorted(exemplars.items()))


def _without_labels(lines: str) -> str:
    return lines.replace(f"{{{_PLACEHOLDER},", "{").replace(f"{{{_PLACEHOLDER}}}", "")
