"""Recording rules: each SLO's events, ratios and error budget, and the declared measures."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.render.options import Options

from . import series_names
from .event_counts import event_sum
from .intervals import BURN_RATE_SPAN, INCREASE_WINDOW
from .measure_rules import measure_groups
from .promql_builder import equals, lines, number, selector
from .rule import Group, Record
from .sli_promql import increments


def recording_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield a group for each SLO, its rules in order of evaluation, and a group of measures."""
    for slo in repo.slos.values():
        yield Group(slo.name, tuple(slo_records(repo, slo, options)))
    yield from measure_groups(repo, options)


def slo_records(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[Record]:
    """Yield every recording of an SLO."""
    own = {series_names.SLO: slo.name}
    events = increments(slo.sli, repo.name, options.identity)
    yield Record(series_names.TOTAL, events.total, own)
    yield Record(series_names.BAD, events.bad, own)
    for name, smoothed in series_names.SMOOTHED.items():
        increases = selector(name, [equals(series_names.SLO, slo.name)])
        yield Record(smoothed, f"avg_over_time({increases}[{INCREASE_WINDOW}])", own)
    for span in slo.burn_lookbacks():
        yield Record(series_names.error_ratio(span), error_ratio(slo, span), own)
    yield Record(series_names.PERIOD_ERROR_RATIO, error_ratio(slo, slo.period), own)
    yield from _budget(slo, own)
    yield from _declaration(repo, slo, own)


def error_ratio(slo: Slo, span: Duration) -> str:
    """Return the share of bad events over a span; absent where there were no events."""
    bad, total = (event_sum(name, slo, span) for name in (series_names.BAD, series_names.TOTAL))
    return lines(bad, "/", f"({total} > 0)")


def _budget(slo: Slo, own: dict[str, str]) -> Iterator[Record]:
    budget = number(slo.objective.budget)
    matchers = [equals(series_names.SLO, slo.name)]
    over_period = selector(series_names.PERIOD_ERROR_RATIO, matchers)
    over_hour = selector(series_names.error_ratio(BURN_RATE_SPAN), matchers)
    yield Record(series_names.SLI, f"1 - {over_period}", own)
    yield Record(series_names.BUDGET_REMAINING, f"1 - {over_period} / {budget}", own)
    # Without data the SLO is neither met nor not met: the series is absent.
    has_data = f"max_over_time({selector(series_names.TOTAL, matchers)}[{slo.no_data_after}])"
    compliant = lines(f"({over_period} <= bool {budget})", "and", has_data)
    yield Record(series_names.COMPLIANT, compliant, own)
    if BURN_RATE_SPAN in slo.burn_lookbacks():
        yield Record(series_names.BURN_RATE_1H, f"{over_hour} / {budget}", own)
    else:
        hour = error_ratio(slo, BURN_RATE_SPAN)
        yield Record(series_names.BURN_RATE_1H, lines("(", hour, ")", f"/ {budget}"), own)


def _declaration(repo: type[MetaRepo], slo: Slo, own: dict[str, str]) -> Iterator[Record]:
    labels = own | {series_names.NAMESPACE: repo.name}
    yield Record(series_names.OBJECTIVE, f"vector({number(slo.objective.ratio)})", labels)
    yield Record(
        series_names.INFO,
        "vector(1)",
        labels
        | {
            "objective": str(slo.objective),
            "owner": repo.owner,
            "period": str(slo.period),
            "tier": str(repo.tier),
        },
    )
