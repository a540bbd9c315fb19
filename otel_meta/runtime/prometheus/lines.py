"""Lines of a page: what is written for a value, a series, an exemplar."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

from otel_meta.runtime.recording.exemplars import Exemplar

from .formats import Format

_ODD: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
_SLOT: Final = "\0"
"""Where a series' labels go in the lines of a histogram."""


def number_text(value: float) -> str:
    """A float as both formats write it."""
    text = repr(value)
    return _ODD.get(text, text)


def value_line(name: str, body: str, value: float, exemplar: Exemplar | None = None) -> str:
    """The line of a series that has one value."""
    text = repr(value)
    text = _ODD.get(text, text)
    if exemplar is not None:
        text += exemplar_text(exemplar)
    return f"{name}{{{body}}} {text}\n" if body else f"{name} {text}\n"


def exemplar_text(exemplar: Exemplar) -> str:
    """What OpenMetrics appends to a line: the trace, the value, and seconds since the epoch."""
    seconds, rest = divmod(exemplar.time_ns, 10**9)
    ids = f'trace_id="{exemplar.trace_id:032x}",span_id="{exemplar.span_id:016x}"'
    return f" # {{{ids}}} {number_text(exemplar.value)} {seconds}.{rest // 10**6:03d}"


class HistogramLines:
    """The lines of every series of a histogram: one pattern, into which numbers and labels go.

    Args:
        name: the family's.
        bounds: the buckets' upper bounds, ascending and finite.
    """

    def __init__(self, name: str, bounds: tuple[float, ...]) -> None:
        every = [*map(number_text, bounds), "+Inf"]
        self._buckets: Final = "".join(
            f'{name}_bucket{{{_SLOT},le="{bound}"}} %d\n' for bound in every
        )
        totals = f"{name}_count{{{_SLOT}}} %d\n{name}_sum{{{_SLOT}}} %s\n"
        self._whole: Final = self._buckets + totals
        self._from_zero: Final = not bounds or bounds[0] >= 0

    def of(
        self,
        body: str,
        counts: list[int] | tuple[int, ...],
        total: float,
        written: Format,
        exemplars: Mapping[int, Exemplar],
    ) -> str:
        """The lines of a series.

        OpenMetrics holds a sum that can go down to be no sum, and has no count without one.
        """
        sums: tuple[Any, ...] = tuple(accumulate(counts))
        if written.openmetrics and not (self._from_zero and total >= 0):
            filled = self._buckets % sums
        else:
            filled = self._whole % (*sums, sums[-1], number_text(total))
        if written.openmetrics and exemplars:
            filled = _with_exemplars(filled, exemplars)
        return filled.replace(_SLOT, body) if body else _bare(filled)


def help_text(text: str, written: Format) -> str:
    """A description on one line."""
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if written.openmetrics else escaped


def _with_exemplars(filled: str, exemplars: Mapping[int, Exemplar]) -> str:
    lines = filled.split("\n")
    for bucket, exemplar in list(exemplars.items()):  # recorders add to it meanwhile
        lines[bucket] += exemplar_text(exemplar)
    return "\n".join(lines)


def _bare(filled: str) -> str:
    return filled.replace(f"{{{_SLOT},", "{").replace(f"{{{_SLOT}}}", "")
