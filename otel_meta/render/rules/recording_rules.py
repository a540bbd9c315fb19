"""Recording rules: each SLO's events, ratios and error budget, and the declared measures."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.render.options import Options

from . import series_names
from .cumulative import cumulative
from .intervals import (
    BURN_RATE_SPAN,
    INCREASE_WINDOW,
    RECOUNT_SPAN,
    alert_spans,
    counted_spans,
    cumulative_spans,
)
from .measure_rules import measure_groups
from .promql_builder import equals, lines, number, selector
from .rule import Group, Record
from .sli_promql import Scope, increments


def recording_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group for each SLO, its rules in order of evaluation, and a group of measures."""
    for slo in repo.slos.values():
        yield Group(slo.name, tuple(slo_records(repo, slo, options)))
    yield from measure_groups(repo, options)


def alert_records(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the counts and ratios of short spans, which are recorded right before the alerts."""
    for span in alert_spans(slo):
        yield from _counted(repo, slo, options, span)


def slo_records(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[Record]:
    """Yield the recordings of an SLO that its alerts do not need at the same moment."""
    own = _own(slo)
    yield from _counted(repo, slo, options, RECOUNT_SPAN)
    bad, total = cumulative(slo, options)
    yield Record(total.name, total.expression(), own)
    yield Record(bad.name, bad.expression(), own)
    for span in counted_spans(slo):
        yield Record(series_names.counted_total(span), total.counted(span), own)
        yield Record(series_names.counted_bad(span), bad.counted(span), own)
    for span in cumulative_spans(slo):
        yield Record(series_names.total(span), total.over(span), own)
        yield Record(series_names.bad(span), bad.over(span), own)
        yield _ratio(slo, span)
    yield Record(series_names.PERIOD_TOTAL, total.over(slo.period), own)
    yield Record(series_names.PERIOD_BAD, bad.over(slo.period), own)
    ratio = _quotient(slo, series_names.PERIOD_BAD, series_names.PERIOD_TOTAL)
    yield Record(series_names.PERIOD_ERROR_RATIO, ratio, own)
    yield Record(series_names.COVERAGE, total.coverage(slo.period), own)
    yield from _budget(slo)
    yield from _declaration(repo, slo)


def _counted(repo: type[MetaRepo], slo: Slo, options: Options, span: Duration) -> Iterator[Record]:
    recorded = _series(series_names.total(span), slo)
    events = increments(slo.sli, Scope(repo.name, span, options), recorded)
    yield Record(series_names.total(span), events.total, _own(slo))
    yield Record(series_names.bad(span), events.bad, _own(slo))
    yield _ratio(slo, span)


def _ratio(slo: Slo, span: Duration) -> Record:
    expr = _quotient(slo, series_names.bad(span), series_names.total(span))
    return Record(series_names.error_ratio(span), expr, _own(slo))


def _quotient(slo: Slo, bad: str, total: str) -> str:
    """Return the share of bad events; absent where there were no events."""
    return f"{_series(bad, slo)} / ({_series(total, slo)} > 0)"


def _budget(slo: Slo) -> Iterator[Record]:
    own, budget = _own(slo), number(slo.objective.budget)
    over_period = _series(series_names.PERIOD_ERROR_RATIO, slo)
    yield Record(series_names.SLI, f"1 - {over_period}", own)
    yield Record(series_names.BUDGET_REMAINING, f"1 - {over_period} / {budget}", own)
    # Without data the SLO is neither met nor not met: the series is absent.
    compliant = lines(f"({over_period} <= bool {budget})", "and", has_data(slo))
    yield Record(series_names.COMPLIANT, compliant, own)
    over_hour = _series(series_names.error_ratio(BURN_RATE_SPAN), slo)
    yield Record(series_names.BURN_RATE_1H, f"{over_hour} / {budget}", own)


def has_data(slo: Slo) -> str:
    """Return a condition: the service had data within the declared time."""
    total = _series(series_names.TOTAL, slo)
    return f"({total} or max_over_time({total}[{slo.no_data_after}:{INCREASE_WINDOW}]))"


def _declaration(repo: type[MetaRepo], slo: Slo) -> Iterator[Record]:
    """Yield the declared values for each service, so that joins need its whole identity."""
    present = _series(series_names.TOTAL_CUMULATIVE, slo)
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


def _series(name: str, slo: Slo) -> str:
    return selector(name, [equals(series_names.SLO, slo.name)])


def _own(slo: Slo) -> dict[str, str]:
    return {series_names.SLO: slo.name}
