"""Recording rules: each SLO's events, ratios and budget, and the measures declared besides."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Duration, MetaRepo, Slo

from . import series_names as series
from .events import summed
from .intervals import INCREASE_WINDOW
from .measure_promql import expression
from .promql_builder import equals, lines, number, selector
from .rule import Group, Record
from .sli_promql import increments

_HOUR = Duration("1h")


def recording_groups(repo: type[MetaRepo]) -> Iterator[Group]:
    """One group an SLO, in the order in which its rules need each other, and one for the rest."""
    for slo in repo.slos.values():
        yield Group(slo.name, tuple(slo_records(repo, slo)))
    declared = tuple(
        Record(recording.name, expression(recording.measure, repo.name))
        for recording in repo.recordings.values()
    )
    if declared:
        yield Group(f"{repo.name}-measures", declared)


def slo_records(repo: type[MetaRepo], slo: Slo) -> Iterator[Record]:
    """Everything that is recorded of an SLO."""
    own = {series.SLO: slo.name}
    events = increments(slo.sli, repo.name)
    yield Record(series.TOTAL, events.total, own)
    yield Record(series.BAD, events.bad, own)
    for name, smoothed in series.SMOOTHED.items():
        increases = selector(name, [equals(series.SLO, slo.name)])
        yield Record(smoothed, f"avg_over_time({increases}[{INCREASE_WINDOW}])", own)
    for span in slo.burn_lookbacks():
        yield Record(series.error_ratio(span), error_ratio(slo, span), own)
    yield Record(series.PERIOD_ERROR_RATIO, error_ratio(slo, slo.period), own)
    yield from _budget(slo, own)
    yield from _about(repo, slo, own)


def error_ratio(slo: Slo, span: Duration) -> str:
    """Bad events among all over a span; absent where there were none at all."""
    bad, total = (summed(name, slo, span) for name in (series.BAD, series.TOTAL))
    return lines(bad, "/", f"({total} > 0)")


def _budget(slo: Slo, own: dict[str, str]) -> Iterator[Record]:
    budget = number(slo.objective.budget)
    mine = [equals(series.SLO, slo.name)]
    over_period = selector(series.PERIOD_ERROR_RATIO, mine)
    over_hour = selector(series.error_ratio(_HOUR), mine)
    yield Record(series.SLI, f"1 - {over_period}", own)
    yield Record(series.BUDGET_REMAINING, f"1 - {over_period} / {budget}", own)
    # Of a service that has fallen silent nobody knows; what it did before does not speak for it.
    heard = f"max_over_time({selector(series.TOTAL, mine)}[{slo.no_data_after}])"
    kept = lines(f"({over_period} <= bool {budget})", "and", heard)
    yield Record(series.COMPLIANT, kept, own)
    if _HOUR in slo.burn_lookbacks():
        yield Record(series.BURN_RATE_1H, f"{over_hour} / {budget}", own)
    else:
        hour = error_ratio(slo, _HOUR)
        yield Record(series.BURN_RATE_1H, lines("(", hour, ")", f"/ {budget}"), own)


def _about(repo: type[MetaRepo], slo: Slo, own: dict[str, str]) -> Iterator[Record]:
    of = own | {series.NAMESPACE: repo.name}
    yield Record(series.OBJECTIVE, f"vector({number(slo.objective.ratio)})", of)
    yield Record(
        series.INFO,
        "vector(1)",
        of
        | {
            "objective": str(slo.objective),
            "owner": repo.owner,
            "period": str(slo.period),
            "tier": str(repo.tier),
        },
    )
