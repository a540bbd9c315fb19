"""The recordings of an SLO with corrections; none for an SLO without."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.correction import Correction
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import equals, indented, lines, selector, slo_series
from otel_meta.render.rules.rule import Record
from otel_meta.status.corrections_json import utc

from .corrected_series import overlapping, spans_of
from .correction_times import in_period, seconds
from .excluded_events import CorrectedCount, corrected_counts, interval


def since_records(slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the time since each correction, which shows its reason while it is in the period."""
    mine = sorted((each for each in options.corrections if each.is_about(slo.name)), key=_shown)
    for shown, rows in groupby(mine, key=_shown):
        since = "\nor ".join(_since(row, slo) for row in rows)
        own = {series_names.SLO: slo.name}
        yield Record(series_names.SINCE_CORRECTION, since, own | shown._asdict())


def excluded_records(slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the counts at the edges of corrections, and the excluded events of the period."""
    spans = spans_of(slo, options)
    own = {series_names.SLO: slo.name}
    counts = corrected_counts(slo, options) if spans else ()
    for count in counts:
        for span in spans:
            edges = {series_names.CORRECTION: interval(span)}
            yield Record(count.at_begin, count.begin_value(span), own | edges)
            yield Record(count.at_end, count.end_value(span), own | edges)
        yield Record(count.excluded_period, count.excluded(slo.period), own)


def kept_records(slo: Slo, span: Duration, options: Options) -> Iterator[Record]:
    """Yield the events over a span that is counted from raw counters, without excluded ones.

    They are a difference of cumulative counts while a correction overlaps with the span.
    """
    if not spans_of(slo, options):
        return
    bad, total = corrected_counts(slo, options)
    own = {series_names.SLO: slo.name}
    some = f"{total.kept(span)} > {series_names.ROUNDING}"
    for name, raw, count, kept in (
        (series_names.total_kept(span), series_names.total(span), total, some),
        (series_names.bad_kept(span), series_names.bad(span), bad, bad.kept(span)),
    ):
        yield Record(name, _whichever(slo_series(raw, slo), kept, count, span), own)


def _whichever(raw: str, kept: str, count: CorrectedCount, span: Duration) -> str:
    on, near = count.whole.on, overlapping(count.whole.slo, span)
    return lines(f"{raw} unless {on} {near}", "or (", indented(kept), f") and {on} {near}")


class _Shown(NamedTuple):
    """What a series shows of a correction."""

    begin: str
    end: str
    kind: str
    reason: str


def _shown(correction: Correction) -> _Shown:
    return _Shown(utc(correction.begin), utc(correction.end), correction.kind, correction.reason)


def _since(correction: Correction, slo: Slo) -> str:
    service = (equals(*label) for label in correction.service.items())
    present = selector(
        series_names.TOTAL_CUMULATIVE, [equals(series_names.SLO, slo.name), *service]
    )
    since = f"clamp_min(0 * {present} + time() - {seconds(correction.end)}, 0)"
    return f"{since} {in_period(correction, slo)}"
