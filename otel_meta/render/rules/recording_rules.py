"""Recording rules: each SLO's events, ratios and error budget, and the declared measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.options import Options

from . import series_names
from .corrections.corrected_series import spans_of
from .corrections.correction_records import (
    alert_corrections,
    correction_groups,
    either,
    kept_records,
)
from .corrections.excluded_events import corrected_counts
from .cumulative import Cumulative, cumulative
from .intervals import (
    INCREASE_WINDOW,
    RECOUNT_SPAN,
    alert_spans,
    cumulative_longs,
    cumulative_spans,
)
from .measures.measure_rules import measure_groups
from .promql_builder import indented, lines, number, slo_series
from .rule import Group, Record
from .sli_promql import Scope, increments

_Over = Callable[[Duration], str]


def recording_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group for each SLO, its rules in order of evaluation, and a group of measures."""
    for slo in repo.slos.values():
        yield Group(slo.name, tuple(slo_records(repo, slo, options)))
        yield from correction_groups(slo, options)
    yield from measure_groups(repo, options)


def alert_records(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the counts and ratios of short spans, which are recorded right before the alerts."""
    yield from alert_corrections(slo, options)
    for span in alert_spans(slo):
        yield from _counted(repo, slo, options, span)
        yield from kept_records(slo, span, options)


def slo_records(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the recordings of an SLO that its alerts do not need at the same moment."""
    own = _own(slo)
    yield from _counted(repo, slo, options, RECOUNT_SPAN)
    bad, total = cumulative(slo, options)
    yield Record(total.name, total.expression(), own)
    yield Record(bad.name, bad.expression(), own)
    yield Record(series_names.LATE_ERROR_RATIO, _late_ratio(slo, bad, total), own)
    bad_over, total_over, some = _kept(slo, options)
    for span in cumulative_longs(slo):
        yield Record(series_names.bad(span), bad_over(span), own)
    yield Record(series_names.PERIOD_BAD, bad_over(slo.period), own)
    for span in cumulative_spans(slo):
        recorded = span in cumulative_longs(slo)
        bad_events = slo_series(series_names.bad(span), slo) if recorded else bad_over(span)
        ratio = _share(bad_events, total_over(span), total.on, some)
        yield Record(series_names.error_ratio(span), ratio, own)
    period_bad = slo_series(series_names.PERIOD_BAD, slo)
    ratio = _share(period_bad, total_over(slo.period), total.on, some)
    yield Record(series_names.PERIOD_ERROR_RATIO, ratio, own)
    yield Record(series_names.COVERAGE, total.coverage(slo.period), own)
    yield from _budget(slo)
    yield from _declaration(repo, slo)


def _counted(repo: type[MetaRepo], slo: Slo, options: Options, span: Duration) -> Iterator[Record]:
    recorded = slo_series(series_names.total(span), slo)
    events = increments(slo.sli, Scope(repo.name, span, options), recorded)
    yield Record(series_names.total(span), events.total, _own(slo))
    yield Record(series_names.bad(span), events.bad, _own(slo))
    yield _ratio(slo, options, span)


def _kept(slo: Slo, options: Options) -> tuple[_Over, _Over, str]:
    """Return the bad and all events over a span without excluded ones, and the least total."""
    if not spans_of(slo, options):
        bad, total = cumulative(slo, options)
        return bad.over, total.over, "0"
    kept_bad, kept_total = corrected_counts(slo, options)
    return kept_bad.kept, kept_total.kept, series_names.ROUNDING


def _ratio(slo: Slo, options: Options, span: Duration) -> Record:
    """Return the share of bad events; absent where there were no events."""
    bad, total = (slo_series(name(span), slo) for name in (series_names.bad, series_names.total))
    ratio = f"{bad} / ({total} > 0)"
    if spans_of(slo, options):
        bad_over, total_over, some = _kept(slo, options)
        on = cumulative(slo, options)[0].on
        kept = _share(bad_over(span), total_over(span), on, some)
        ratio = either(slo, span, ratio, kept, on)
    return Record(series_names.error_ratio(span), ratio, _own(slo))


def _late_ratio(slo: Slo, bad: Cumulative, total: Cumulative) -> str:
    """Return the share of bad events among those that were counted just now, if most are late."""
    occurred = f"2 * {slo_series(series_names.TOTAL, slo)}"
    bad_now, total_now = (count.counted(INCREASE_WINDOW) for count in (bad, total))
    return _share(bad_now, total_now, total.on, occurred)


def _share(bad: str, total: str, on: str, more_than: str = "0") -> str:
    """Return the share of bad events where the total is larger than a number; otherwise absent."""
    above = lines("(", indented(total), f") > {more_than}")
    share = bad if "\n" not in bad else lines("(", indented(bad), ")")
    return lines(share, f"/ {on} (", indented(above), ")")


def _budget(slo: Slo) -> Iterator[Record]:
    own, budget = _own(slo), number(slo.objective.budget)
    over_period = slo_series(series_names.PERIOD_ERROR_RATIO, slo)
    yield Record(series_names.SLI, f"1 - {over_period}", own)
    yield Record(series_names.BUDGET_REMAINING, f"1 - {over_period} / {budget}", own)
    # Without data the SLO is neither met nor not met: the series is absent.
    compliant = lines(f"({over_period} <= bool {budget})", "and", has_data(slo))
    yield Record(series_names.COMPLIANT, compliant, own)
    over_hour = slo_series(series_names.error_ratio(BURN_RATE_SPAN), slo)
    yield Record(series_names.BURN_RATE_1H, f"{over_hour} / {budget}", own)


def has_data(slo: Slo) -> str:
    """Return a condition: the service had data within the declared time."""
    total = slo_series(series_names.TOTAL, slo)
    return f"({total} or max_over_time({total}[{slo.no_data_after}:{INCREASE_WINDOW}]))"


def _declaration(repo: type[MetaRepo], slo: Slo) -> Iterator[Record]:
    """Yield the declared values for each service, so that joins need its whole identity."""
    present = slo_series(series_names.TOTAL_CUMULATIVE, slo)
    objective = f"0 * {present} + {number(slo.objective.ratio)}"
    yield Record(series_names.OBJECTIVE, objective, _own(slo))
    yield Record(
        series_names.INFO,
        f"0 * {present} + 1",
        _own(slo)
        | {
            "objective": str(slo.objective),
            "owner": repo.owner,
            "period": str(slo.period),
            "tier": str(repo.tier),
        },
    )


def _own(slo: Slo) -> dict[str, str]:
    return {series_names.SLO: slo.name}
