"""Events of an SLO that corrections exclude, as differences of its cumulative counts.

Nothing is recorded again: the counts stay the whole truth, and what a correction excludes follows
from their values when it begins and ends. So a correction that is added late excludes the same
events as one that was known before. The events of a gap in the recordings are excluded only if the
whole gap lies in the correction: nobody knows when they occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from math import ceil
from typing import NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.corrected_span import CorrectedSpan, Service
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.cumulative import Cumulative, cumulative
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.promql_builder import (
    equals,
    indented,
    lines,
    selector,
    slo_series,
    sum_by,
)
from otel_meta.status.corrections_json import utc

from .correction_times import in_period, seconds, until


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

        def value(service: Service) -> Iterator[str]:
            past = self.whole.past(service)
            yield f"{past} @ {seconds(span.begin)}"
            yield f"min_over_time({past}{_steps(span)} @ {seconds(span.end)})"

        values = indented("\nor ".join(self._of_services(span, value)))
        return lines("(", values, f") {in_period(span, self.whole.slo)}")

    def end_value(self, span: CorrectedSpan) -> str:
        """Return the count when a correction ends, or now before the end; in a gap, before it."""

        def value(service: Service) -> Iterator[str]:
            past, end = self.whole.past(service), seconds(span.end)
            yield f"{past} {until(span.end)}"
            yield f"{past} @ {end}"
            yield f"max_over_time({past}{_steps(span)} @ {end})"

        values = "\nor ".join(self._of_services(span, value))
        own = equals(series_names.SLO, self.whole.slo.name)
        begin = selector(self.at_begin, [own, equals(series_names.CORRECTION, interval(span))])
        values = lines(values, f"or {self.whole.on} {begin}")
        return lines("(", indented(values), f") and {self.whole.on} {begin}")

    def _of_services(
        self, span: CorrectedSpan, value: Callable[[Service], Iterator[str]]
    ) -> Iterator[str]:
        return (self.whole.once(each) for service in span.services for each in value(service))

    def excluded(self, lookback: Duration) -> str:
        """Return the excluded events over a span that ends now.

        They are the events from the beginning of the span until corrections end, without those
        until they begin.
        """
        whole = self.whole
        before = indented(lines(*whole.before(lookback, whole.now)))

        def since(name: str) -> str:
            edges = f"{slo_series(name, whole.slo)} - {whole.on} group_left () ("
            inside = lines("", indented(lines("clamp_min(", edges, before, "), 0)")), "")
            return sum_by(whole.options.identity.service, inside)

        return lines(
            since(self.at_end),
            f"- {whole.on}",
            since(self.at_begin),
            f"or {whole.on} 0 * {whole.now}",
        )

    def kept(self, lookback: Duration) -> str:
        """Return the events over a span that ends now, without the excluded ones."""
        count, slo = self.whole, self.whole.slo
        is_period = lookback == slo.period
        excluded = slo_series(self.excluded_period, slo) if is_period else self.excluded(lookback)
        return lines(
            "clamp_min((",
            indented(count.over(lookback)),
            f") - {count.on} (",
            indented(excluded),
            "), 0)",
        )


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


def _steps(span: CorrectedSpan) -> str:
    return f"[{_length(span.begin, span.end)}:{INCREASE_WINDOW}]"


def _length(begin: datetime, end: datetime) -> Duration:
    return Duration(f"{ceil((end - begin).total_seconds())}s")
