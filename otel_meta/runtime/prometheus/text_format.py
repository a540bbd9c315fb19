"""The syntax of the two text formats read by Prometheus.

Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
OpenMetrics 1.0.0: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from otel_meta.runtime.recording.exemplars import Exemplar

_SPECIAL_FLOATS: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
_PLACEHOLDER: Final = "\0"
"""Stands for the labels of a series in a histogram's template. No rendered number contains it."""


@dataclass(frozen=True)
class TextFormat:
    """A text format and its media type."""

    media_type: str
    version: str
    openmetrics: bool

    @property
    def content_type(self) -> str:
        """The Content-Type header of a page in this format."""
        return f"{self.media_type}; version={self.version}; charset=utf-8"


TEXT: Final = TextFormat("text/plain", "0.0.4", openmetrics=False)
"""The Prometheus text format."""

OPENMETRICS: Final = TextFormat("application/openmetrics-text", "1.0.0", openmetrics=True)
"""The OpenMetrics text format."""


def format_float(value: float) -> str:
    """Write a float in the syntax of both formats."""
    text = repr(value)
    return _SPECIAL_FLOATS.get(text, text)


def sample_line(name: str, labels: str, value: float, exemplar: Exemplar | None = None) -> str:
    """Render the line of a counter's or a gauge's series.

    Args:
        name: the sample's name.
        labels: the text between the braces; "" for a series without labels.
        value: the sample's value.
        exemplar: appended in the syntax of OpenMetrics.
    """
    text = repr(value)
    text = _SPECIAL_FLOATS.get(text, text)
    if exemplar is not None:
        text += _exemplar_suffix(exemplar)
    return f"{name}{{{labels}}} {text}\n" if labels else f"{name} {text}\n"


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
        self._buckets: Final = "".join(
            f'{name}_bucket{{{_PLACEHOLDER},le="{bound}"}} %d\n'
            for bound in (*map(format_float, bounds), "+Inf")
        )
        totals = f"{name}_count{{{_PLACEHOLDER}}} %d\n{name}_sum{{{_PLACEHOLDER}}} %s\n"
        self._buckets_and_totals: Final = self._buckets + totals
        self._no_negative_bounds: Final = not bounds or bounds[0] >= 0

    def render(
        self,
        labels: str,
        counts: list[int] | tuple[int, ...],
        total: float,
        text_format: TextFormat,
        exemplars: Mapping[int, Exemplar],
    ) -> str:
        """Render the lines of a series.

        OpenMetrics forbids a sum where the sum can decrease, and a count without a sum:
        https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#histogram

        Args:
            labels: the text between the braces; "" for a series without labels.
            counts: values in each bucket, not cumulative; the last bucket is unbounded.
            total: the sum of the values.
            text_format: the format of the lines.
            exemplars: exemplars by the index of their bucket; OpenMetrics alone shows them.
        """
        cumulative: tuple[Any, ...] = tuple(accumulate(counts))
        if text_format.openmetrics and not (self._no_negative_bounds and total >= 0):
            lines = self._buckets % cumulative
        else:
            lines = self._buckets_and_totals % (*cumulative, cumulative[-1], format_float(total))
        if text_format.openmetrics and exemplars:
            lines = _append_exemplars(lines, exemplars)
        return lines.replace(_PLACEHOLDER, labels) if labels else _without_labels(lines)


def _append_exemplars(text: str, exemplars: Mapping[int, Exemplar]) -> str:
    lines = text.split("\n")
    for bucket, exemplar in list(exemplars.items()):  # other threads add to the mapping
        lines[bucket] += _exemplar_suffix(exemplar)
    return "\n".join(lines)


def _exemplar_suffix(exemplar: Exemplar) -> str:
    """Render an exemplar: trace and span, value, seconds since the epoch.

    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#exemplars-1
    """
    seconds, nanoseconds = divmod(exemplar.time_ns, 10**9)
    ids = f'trace_id="{exemplar.trace_id:032x}",span_id="{exemplar.span_id:016x}"'
    value = format_float(exemplar.value)
    return f" # {{{ids}}} {value} {seconds}.{nanoseconds // 10**6:03d}"


def _without_labels(lines: str) -> str:
    return lines.replace(f"{{{_PLACEHOLDER},", "{").replace(f"{{{_PLACEHOLDER}}}", "")
