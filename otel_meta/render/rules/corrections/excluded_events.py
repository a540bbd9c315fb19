"""Events of an SLO that corrections exclude, as differences of its cumulative counts.

Nothing is recorded again: the counts stay the whole truth, and what a correction excludes follows
from their values when it begins and ends. So a correction that is added late excludes the same
events as one that was known before. The events of a gap in the recordings are excluded only if the
whole gap lies in the correction: nobody knows when they occurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.corrected_span import CorrectedSpan
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.cumulative import Cumulative, cumulative
from otel_meta.render.rules.promql_builder import (
    equals,
    indented,
    lines,
    selector,
    slo_series,
    sum_by,
)
from otel_meta.status.corrections_json import utc

from .correction_times import after, in_period, seconds


class CorrectedCount(NamedTuple):
    """A cumulative count, and the recorded values of it at the edges of corrections."""

    whole: Cumulative
    at_begin: str
    """Name of the series of values when a correction begins."""
    at_end: str
    excluded_period: str
    """Name of the series of the excluded events of the period."""

    def begin_value(self, span: CorrectedSpan) -> str:
        """Return the count when a correction begins; in a gap, when the gap ends."""
        values = indented("\nor ".join(self._begin_values(span)))
        return lines("(", values, f") {in_period(span, self.whole.slo)}")

    def end_value(self, span: CorrectedSpan) -> str:
        """Return the count when a correction has ended; in a gap, before the gap."""
        last = "\nor ".join(self._inside(span, "max_over_time"))
        own = equals(series_names.SLO, self.whole.slo.name)
        begin = selector(self.at_begin, [own, equals(series_names.CORRECTION, interval(span))])
        known = f"{self.whole.on} {begin} {after(span.end)}"
        return lines("(", indented(lines(last, f"or {self.whole.on} {begin}")), f") and {known}")

    def excluded(self, lookback: Duration) -> str:
        """Return the excluded events over a span that ends now.

        They are the events from the beginning of the span until corrections end, or until now,
        without those until they begin.
        """
        whole = self.whole
        begin, end = (slo_series(name, whole.slo) for name in (self.at_begin, self.at_end))
        before = indented(lines(*whole.before(lookback, whole.now)))

        def since(edges: str) -> str:
            counted = lines("clamp_min(", f"{edges} - {whole.on} group_left () (", before, "), 0)")
            return sum_by(whole.options.identity.service, lines("", indented(counted), ""))

        ended = since(f"({end} or 0 * {begin} + {whole.on} group_left () {whole.now})")
        began = since(begin)
        return lines(ended, f"- {whole.on}", began, f"or {whole.on} 0 * {whole.now}")

    def kept(self, lookback: Duration) -> str:
        """Return the events over a span that ends now, without the excluded ones."""
        return lines(
            "clamp_min((",
            indented(self.whole.over(lookback)),
            f") - {self.whole.on} (",
            indented(self.excluded(lookback)),
            "), 0)",
        )

    def _begin_values(self, span: CorrectedSpan) -> Iterator[str]:
        for service in span.services:
            yield self.whole.once(f"{self.whole.past(service)} @ {seconds(span.begin)}")
        yield from self._inside(span, "min_over_time")

    def _inside(self, span: CorrectedSpan, function: str) -> Iterator[str]:
        """Yield a function over the values inside of a correction, for each of its services."""
        length = Duration(f"{ceil((span.end - span.begin).total_seconds())}s")
        for service in span.services:
            values = f"{self.whole.past(service)}[{length}] @ {seconds(span.end)}"
            yield self.whole.once(f"{function}({values})")


def interval(span: CorrectedSpan) -> str:
    """Return the times of a correction, as ISO 8601 writes a span of time."""
    return f"{utc(span.begin)}/{utc(span.end)}"


def corrected_counts(slo: Slo, options: Options) -> tuple[CorrectedCount, CorrectedCount]:
    """Return the counts of the bad and of all events."""
    bad, total = cumulative(slo, options)
    return (
        CorrectedCount(
            bad,
            series_names.BAD_AT_BEGIN,
            series_names.BAD_AT_END,
            series_names.PERIOD_BAD_EXCLUDED,
        ),
        CorrectedCount(
            total,
            series_names.TOTAL_AT_BEGIN,
            series_names.TOTAL_AT_END,
            series_names.PERIOD_TOTAL_EXCLUDED,
        ),
    )
