"""The syntax of the text formats read by Prometheus.

Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
OpenMetrics 1.0.0: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
OpenMetrics 2.0: https://prometheus.io/docs/specs/om/open_metrics_spec_2_0/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import orjson

from otel_meta.runtime.recording.exemplars import Exemplar

_SPECIAL_FLOATS: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}


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


def number_lines(
    name: str,
    series: Sequence[SeriesText],
    values: Sequence[str],
    exemplars: Sequence[Exemplar | None],
    text_format: TextFormat,
) -> str:
    """Render the lines of some series of a counter or a gauge.

    Args:
        name: the samples' name.
        series: the labels, and the starts of a counter; a gauge has no start.
        values: the values of the samples.
        exemplars: the exemplars of a counter's series, or none; OpenMetrics alone shows them.
        text_format: the format of the lines.
    """
    ends = [each.start for each in series] if text_format.composite else [""] * len(series)
    for number, exemplar in enumerate(exemplars if text_format.openmetrics else ()):
        if exemplar is not None:
            ends[number] += exemplar_suffix(exemplar)
    if text_format.created:
        ends = [end + _created(name, each) for end, each in zip(ends, series, strict=True)]
    return "".join(
        [
            f"{name}{{{labels}}} {value}{end}\n" if labels else f"{name} {value}{end}\n"
            for (labels, _, _), value, end in zip(series, values, ends, strict=True)
        ]
    )


def _created(name: str, series: SeriesText) -> str:
    """Render the line that follows a counter's sample, with the end of the line before it."""
    if not series.start:
        return ""
    braces = f"{{{series.labels}}}" if series.labels else ""
    family = name.removesuffix("_total")
    return f"\n{family}_created{braces} {format_seconds(series.start_ns)}"


def escape_help(text: str, text_format: TextFormat) -> str:
    """Escape a description for a HELP line."""
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if text_format.openmetrics else escaped


def exemplar_suffix(exemplar: Exemplar) -> str:
    """Render an exemplar: trace and span, value, seconds since the epoch.

    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#exemplars-1
    """
    ids = f'trace_id="{exemplar.trace_id:032x}",span_id="{exemplar.span_id:016x}"'
    value = format_float(exemplar.value)
    return f" # {{{ids}}} {value} {format_seconds(exemplar.time_ns)}"
