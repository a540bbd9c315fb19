"""The recordings of an SLO with corrections; none for an SLO without.

They stand in groups of their own, since a group of an SLO has as many rules as Mimir allows. What
alerts read at the same moment stands in the group of the alerts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Final, NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.corrected_span import Service
from otel_meta.model.slo.correction import Correction
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import RECOUNT_SPAN, alert_longs
from otel_meta.render.rules.promql_builder import (
    equals,
    indented,
    labelled,
    lines,
    selector,
    slo_series,
    sum_by,
)
from otel_meta.render.rules.rule import Group, Record
from otel_meta.status.corrections_json import utc

from .corrected_series import overlapping, spans_of
from .correction_times import Times, in_period, seconds
from .excluded_events import corrected_counts, interval

_MOST_RULES: Final = 20
"""Mimir's default limit of a group."""


def correction_groups(slo: Slo, options: Options) -> Iterator[Group]:
    """Yield the groups of corrections, each with as many rules as Mimir allows."""
    records = _group_records(slo, options)
    number = 1
    while part := tuple(islice(records, _MOST_RULES)):
        yield Group(f"{slo.name}-corrections{'' if number == 1 else f'-{number}'}", part)
        number += 1


def alert_corrections(slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the time since the last correction, which alerts read at the same moment."""
    if spans := spans_of(slo, options):
        ages = [
            labelled(_age(span, service, slo), series_names.CORRECTION, interval(span))
            for span in spans
            for service in span.services
        ]
        latest = sum_by(options.identity.service, lines("", "\nor ".join(ages), ""), "min")
        yield Record(series_names.SINCE_CORRECTION, latest, _own(slo))


def kept_records(slo: Slo, span: Duration, options: Options) -> Iterator[Record]:
    """Yield the bad events over a span from raw counters without excluded ones, for alerts.

    They are a difference of cumulative counts while a correction overlaps with the span.
    """
    if spans_of(slo, options) and span in alert_longs(slo):
        bad, _ = corrected_counts(slo, options)
        raw = slo_series(series_names.bad(span), slo)
        kept = either(slo, span, raw, bad.kept(span), bad.whole.on)
        yield Record(series_names.bad_kept(span), kept, _own(slo))


def either(slo: Slo, span: Duration, raw: str, kept: str, on: str) -> str:
    """Return a value from raw counters, or without excluded events near a correction."""
    near = f"{on} {overlapping(slo, span)}"
    return lines(f"{raw} unless {near}", "or (", indented(kept), f") and {near}")


def _group_records(slo: Slo, options: Options) -> Iterator[Record]:
    spans = spans_of(slo, options)
    if not spans:
        return
    yield from _reasons(slo, options)
    for count in corrected_counts(slo, options):
        for span in spans:
            labels = _own(slo) | {series_names.CORRECTION: interval(span)}
            yield Record(count.at_begin, count.begin_value(span), labels)
            yield Record(count.at_end, count.end_value(span), labels)
        yield Record(count.excluded_period, count.excluded(slo.period), _own(slo))
    yield from kept_records(slo, RECOUNT_SPAN, options)


def _reasons(slo: Slo, options: Options) -> Iterator[Record]:
    """Yield a series for each correction, with its reason while it is in the period."""
    mine = sorted((each for each in options.corrections if each.is_about(slo.name)), key=_shown)
    for shown, rows in groupby(mine, key=_shown):
        ages = "\nor ".join(_age(row, row.service, slo) for row in rows)
        yield Record(series_names.CORRECTION_AGE, ages, _own(slo) | shown._asdict())


class _Shown(NamedTuple):
    """What a series shows of a correction."""

    begin: str
    end: str
    kind: str
    reason: str


def _shown(correction: Correction) -> _Shown:
    return _Shown(utc(correction.begin), utc(correction.end), correction.kind, correction.reason)


def _age(times: Times, service: Service, slo: Slo) -> str:
    """Return the seconds since the end for each service, 0 before; absent outside the period."""
    matchers = (equals(*label) for label in {series_names.SLO: slo.name, **service}.items())
    present = selector(series_names.TOTAL_CUMULATIVE, matchers)
    since = f"clamp_min(0 * {present} + time() - {seconds(times.end)}, 0)"
    return f"{since} {in_period(times, slo)}"


def _own(slo: Slo) -> dict[str, str]:
    return {series_names.SLO: slo.name}
