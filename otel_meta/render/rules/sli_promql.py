"""An SLI in PromQL: its bad events and its total events over a span.

Both are counted in events, so that every ratio is weighted by events. In a mean of ratios, a quiet
night would outweigh a busy hour. The events of all parts of an SLI are added up. A part without
series has none, and a label ``sli_part`` lets ``or`` keep series that differ by their metric alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, assert_never

from otel_meta.model import Duration, Histogram, Selector, Sli
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.options import Options

from . import promql_builder as promql
from .promql_builder import lines, series_of, sum_by
from .slice_promql import slices


class Scope(NamedTuple):
    """The series of a meta-repository, and the span in which their events are counted."""

    namespace: str
    span: Duration
    options: Options
    labels: tuple[str, ...] | None = None
    """The labels that series are added up by; None for the labels of a service."""
    where: tuple[str, ...] = ()
    """More matchers of every series."""
    sparse: bool = False
    """Count what there is: no zeros where a part has no series, and no search for lost buckets."""

    @property
    def by(self) -> tuple[str, ...]:
        """The labels that series are added up by."""
        return self.options.identity.service if self.labels is None else self.labels

    def series(self, selected: Selector, suffix: str = "", *more: str) -> str:
        """Return a vector selector of the series of a metric."""
        return series_of(selected, self.namespace, suffix, *self.where, *more)

    def slices(self, sli: SimpleSli, term: TimeSlices) -> str:
        """Return the seconds of a term."""
        return slices(sli, term, self.series(term.selector), self.by, self.span)


class Increments(NamedTuple):
    """Expressions for the bad and the total events over a span, by service."""

    bad: str
    total: str


def increments(sli: Sli, scope: Scope, recorded_total: str = "") -> Increments:
    """Return the expressions to record for an SLI of one meta-repository.

    Args:
        sli: the bad and the total events.
        scope: the series and the span.
        recorded_total: the series that the total events are recorded as, if any. Bad events that
            were never seen are 0 where it exists, which reads no counter a second time.
    """
    parts = [_increments(part, scope, recorded_total) for part in sli.parts]
    return Increments(*(_added_up(counts, scope) for counts in zip(*parts, strict=True)))


def histograms_of(sli: Sli) -> Iterator[EventCount]:
    """Yield the parts of histograms' values that decide about an SLI."""
    yield from filter(None, map(_histogram_of, sli.parts))


def _increments(sli: SimpleSli, scope: Scope, recorded_total: str) -> Increments:
    total = _total(sli, scope)
    return Increments(_bad(sli, scope, total, recorded_total or total), total)


def _added_up(counts: Sequence[str], scope: Scope) -> str:
    """Add up the counts of all parts, of which any may be absent."""
    first, *others = counts
    if not others:
        return first
    labelled = (promql.labelled(each, "sli_part", str(n)) for n, each in enumerate(others, start=2))
    return sum_by(scope.by, lines("", promql.indented("\nor\n".join((first, *labelled))), ""))


def _histogram_of(sli: SimpleSli) -> EventCount | None:
    part = sli.bad_events.good if isinstance(sli.bad_events, Remainder) else sli.bad_events
    return part if isinstance(part, EventCount) and part.has_bounds else None


def _total(sli: SimpleSli, scope: Scope) -> str:
    total = sli.total_events
    match total:
        case EventCount():
            return sum_by(scope.by, _known(sli, total, scope))
        case TimeSlices():
            return scope.slices(sli, total)
        case _:
            assert_never(total)


def _bad(sli: SimpleSli, scope: Scope, total: str, present: str) -> str:
    bad = sli.bad_events
    match bad:
        case EventCount() if scope.sparse:
            return sum_by(scope.by, _part(bad, scope))
        case EventCount():
            return _or_zero(bad, scope, present)
        case Remainder(EventCount(has_bounds=True) as good):
            return _values_outside(good, scope)
        case Remainder(good):
            return lines(
                f"clamp_min({total}",
                f"- on ({', '.join(scope.by)}) ({_indent(_or_zero(good, scope, present))}), 0)",
            )
        case TimeSlices():
            return scope.slices(sli, bad)
        case _:
            assert_never(bad)


def _known(sli: SimpleSli, total: EventCount, scope: Scope) -> str:
    """Count the events of which the indicator is known.

    A histogram without the bucket at a bound shows neither good nor bad events: its events are not
    counted at all, so that the SLI has no data.
    """
    part = _histogram_of(sli)
    if part is None:
        return _increase(total.selector, scope)
    counted = _values(total.selector, scope)
    if scope.sparse:
        return counted
    buckets = (_bucket(bound, part.selector, scope) for bound in _bounds(part))
    return lines(
        counted,
        *(f"and ignoring (le) {each}" for each in buckets),
        *_without_lost_buckets(part, scope),
    )


def _without_lost_buckets(part: EventCount, scope: Scope) -> Iterator[str]:
    """Yield the exclusions of histograms that still report, but no longer with their buckets."""
    if scope.sparse:
        return
    count = f"timestamp({scope.series(part.selector, '_count')})"
    for bound in _bounds(part):
        bucket = scope.series(part.selector, "_bucket", promql.bucket(bound))
        seen = f"max without (le) (timestamp({bucket})) or 0 * {count}"
        yield f"unless {count} > ({seen})"


def _bounds(part: EventCount) -> Iterator[float]:
    yield from (bound for bound in (part.at_most, part.above) if bound is not None)


def _or_zero(part: EventCount, scope: Scope, total: str) -> str:
    """Count a part of the events: zero if only other events occurred, absent without any event."""
    counted = sum_by(scope.by, _part(part, scope))
    if part.has_bounds:
        return counted
    return lines(counted, f"or on ({', '.join(scope.by)})", f"0 * {total}")


def _values_outside(good: EventCount, scope: Scope) -> str:
    """Count the values of each histogram that are not good, never fewer than zero."""
    everything = _values(good.selector, scope)
    bad = f"clamp_min({everything} - {_grouped(_part(good, scope))}, 0)"
    return sum_by(scope.by, lines(bad, *_without_lost_buckets(good, scope)))


def _part(part: EventCount, scope: Scope) -> str:
    """Count the events of a part in each of its series, without the label of buckets."""
    if not part.has_bounds:
        return _increase(part.selector, scope)
    upper = _up_to(part.at_most, part.selector, scope)
    if part.above is None:
        return upper
    return f"{upper} - {_up_to(part.above, part.selector, scope)}"


def _up_to(bound: float | None, selector: Selector, scope: Scope) -> str:
    if bound is None:
        return _values(selector, scope)
    if _is_native(selector, scope):
        return _share(bound, selector, scope)
    # A bound that has two spellings in two releases of a service is still one series.
    return f"sum without (le) ({_bucket(bound, selector, scope)})"


def _values(selector: Selector, scope: Scope) -> str:
    """Count the values of each histogram."""
    if not _is_native(selector, scope):
        return _increase(selector, scope)
    return f"histogram_count({_native(selector, scope)})"


def _share(bound: float, selector: Selector, scope: Scope) -> str:
    """Count the values up to a declared bound, at which custom buckets are not interpolated."""
    native, count = _native(selector, scope), _values(selector, scope)
    share = f"histogram_fraction(-Inf, {promql.number(bound)}, {native})"
    # Without values the share is NaN, which no comparison keeps; their number is then 0.
    return f"({count} * {share} >= 0 or {count})"


def _is_native(selector: Selector, scope: Scope) -> bool:
    """Return True for a histogram that Prometheus keeps with the declared buckets as custom ones.

    Exponential buckets end at few declared bounds, and would be interpolated at the others.
    """
    instrument = selector.instrument
    is_custom = isinstance(instrument, Histogram) and not instrument.native
    return scope.options.reads_native and is_custom


def _native(selector: Selector, scope: Scope) -> str:
    return promql.increase(scope.series(selector), scope.span, scope.options)


def _bucket(bound: float, selector: Selector, scope: Scope) -> str:
    series = scope.series(selector, "_bucket", promql.bucket(bound))
    return promql.increase(series, scope.span, scope.options)


def _increase(selector: Selector, scope: Scope) -> str:
    series = scope.series(selector, promql.count_suffix(selector))
    return promql.increase(series, scope.span, scope.options)


def _grouped(text: str) -> str:
    return f"({text})" if " - " in text else text


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")
