"""Time slices in PromQL: the seconds in which a gauge has a value, or a bad value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_meta.model import Duration
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.event_terms import TimeSlices
from otel_meta.model.slo.sli import SimpleSli

from .promql_builder import number, sum_by

SLICE: Final = Duration("15s")
"""The length of a slice, which is the scrape interval of the generated Prometheus configuration.

Each slice has the value of the last sample before its end. At a scrape interval of at most a slice,
divided evenly, every sample of 15 seconds apart is seen; a state that is shorter than the scrape
interval is seen only if a scrape falls into it, as with any gauge."""
_NUMBERS: Final = ">= -Inf"
"""A filter of values that are numbers: a comparison with NaN is false."""


def slices(sli: SimpleSli, term: TimeSlices, series: str, by: Iterable[str], span: Duration) -> str:
    """Return the seconds of a term over a span, by service.

    A value of NaN is not seen: it is neither good nor bad, and a gauge without any other value has
    no data.
    """
    if term.series == "worst":
        worst = sum_by(by, series, _worst(sli))
        seconds = _sampled(worst, term.comparison, span)
    else:
        seconds = sum_by(by, _sampled(series, term.comparison, span))
    return f"{SLICE.seconds} * {seconds}"


def _sampled(series: str, comparison: Comparison | None, span: Duration) -> str:
    """Count the slices, or only the slices in which a comparison is true."""
    window = f"[{span}:{SLICE}]"
    if comparison is None:
        return f"count_over_time(({series} {_NUMBERS}){window})"
    test = f"{comparison.operator} bool {number(comparison.bound)}"
    return f"sum_over_time(({series} {test}){window})"


def _worst(sli: SimpleSli) -> str:
    """Return the aggregation that keeps the value nearest to the bad values, and ignores NaN."""
    too_low = any(value.operator in ("<", "<=") for value in sli.bad_values)
    return "min" if too_low else "max"
