"""Cases of the other states of an SLO: exhausted, no events, no data, never reported, never bad."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Slo
from tests.rules.burn_cases import ALERTS
from tests.rules.committed_rules import rules_for_alerts, rules_of, slo_named
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import Flow, constant_flow, identity, label_text, raw_series
from tests.rules.rule_oracle import Oracle, first_true

HOLD: Final = 5
"""Minutes of these alerts' ``for``."""
NAN: Final = 'sum({__name__=~"slo:.*"}) != sum({__name__=~"slo:.*"})'
"""NaN alone differs from itself, and one NaN makes a sum NaN."""
_STEP: Final = 5


def _query(slo: Slo, alert: str, minute: float, *, fires: bool) -> QueryTest:
    repo, _ = slo_named(slo.name)
    labels = identity(repo) | {
        "meta_repository": repo.name,
        "severity": "ticket",
        "slo": slo.name,
        "team": repo.owner,
    }
    return QueryTest(
        minute, firing_query(alert, slo=slo.name), firing_alert(alert, **labels) if fires else {}
    )


def _up(slo: Slo, minutes: int) -> dict[str, str]:
    repo, _ = slo_named(slo.name)
    return {"otel_meta_up" + label_text(identity(repo)): f"1x{minutes}"}


def _period_ratios(slo: Slo, flow: Flow) -> list[float]:
    oracle = Oracle.of(slo, flow, _STEP)
    sums = oracle.sums(slo.period.seconds)
    return [bad / total if total else 0.0 for bad, total in map(sums, oracle.evaluations)]


def exhausted(name: str) -> Case:
    """Four good hours, then half of the events bad: fires as soon as the budget is exhausted."""
    repo, slo = slo_named(name)
    flow = constant_flow(4 * 60, 0) + constant_flow(2 * 60, 0.5)
    budget = float(slo.objective.budget)
    gone = first_true([ratio >= budget for ratio in _period_ratios(slo, flow)]) * _STEP
    queries = [
        _query(slo, "SloErrorBudgetExhausted", gone, fires=False),
        _query(slo, "SloErrorBudgetExhausted", gone + HOLD, fires=True),
    ]
    groups = rules_for_alerts(repo, slo, "SloErrorBudgetExhausted")
    return Case(groups, raw_series(repo, slo, flow[: gone + 10]), queries, step=_STEP)


def nearly_exhausted(name: str) -> Case:
    """97 % of the budget is spent for hours, and 3 % is left."""
    repo, slo = slo_named(name)
    flow = constant_flow(3 * 60, 0) + constant_flow(6 * 60, float(slo.objective.budget) * 0.97)
    assert max(_period_ratios(slo, flow)) < float(slo.objective.budget)
    queries = [
        _query(slo, "SloErrorBudgetExhausted", t, fires=False) for t in range(0, len(flow), 30)
    ]
    groups = rules_for_alerts(repo, slo, "SloErrorBudgetExhausted")
    return Case(groups, raw_series(repo, slo, flow), queries, step=_STEP)


def _week() -> Flow:
    """Return a week and a day with few events: an event each ten minutes."""
    return (constant_flow(1, 0, 1.0) + constant_flow(9, 0, 0)) * (8 * 24 * 6)


def no_events(name: str) -> Case:
    """The counters of a reporting service stop: fires after the declared time."""
    repo, slo = slo_named(name)
    assert slo.sli.unit == "events", "time never stands still: such an alert is dead"
    quiet = slo.no_data_after.seconds // 60
    week = _week()
    flow = week + constant_flow(quiet + 60, 0, 0)
    since = len(week) + quiet - 10 + _STEP
    queries = [
        _query(slo, "SloNoEvents", since - 2 * _STEP, fires=False),
        _query(slo, "SloNoEvents", since + HOLD + _STEP, fires=True),
        QueryTest(since + HOLD, NAN),
    ]
    series = raw_series(repo, slo, flow) | _up(slo, len(flow))
    return Case(rules_for_alerts(repo, slo, "SloNoEvents"), series, queries, step=_STEP)


def one_event_per_period(name: str) -> Case:
    """One event in each declared time prevents the alert."""
    repo, slo = slo_named(name)
    quiet = slo.no_data_after.seconds // 60
    week = _week()
    flow = week + (constant_flow(1, 0, 1.0) + constant_flow(quiet - 15, 0, 0)) * 2
    queries = [
        _query(slo, "SloNoEvents", t, fires=False) for t in range(len(week), len(flow), quiet // 30)
    ]
    series = raw_series(repo, slo, flow) | _up(slo, len(flow))
    return Case(rules_for_alerts(repo, slo, "SloNoEvents"), series, queries, step=_STEP)


def idle_at_same_time(name: str) -> Case:
    """A service that has events on working days alone: no alert at night or at the weekend."""
    repo, slo = slo_named(name)
    day = constant_flow(10 * 60, 0, 1.0) + constant_flow(14 * 60, 0, 0)
    flow = (day * 5 + constant_flow(2 * 24 * 60, 0, 0)) * 2
    queries = [_query(slo, "SloNoEvents", t, fires=False) for t in range(60, len(flow), 60)]
    series = raw_series(repo, slo, flow) | _up(slo, len(flow))
    return Case(rules_for_alerts(repo, slo, "SloNoEvents"), series, queries, step=_STEP)


def new_service(name: str) -> Case:
    """A service that started an hour ago has counters at zero."""
    repo, slo = slo_named(name)
    flow = constant_flow(60, 0, 0)
    queries = [_query(slo, "SloNoEvents", t, fires=False) for t in range(5, 60, 5)]
    series = raw_series(repo, slo, flow) | _up(slo, len(flow))
    return Case(rules_for_alerts(repo, slo, "SloNoEvents"), series, queries, step=_STEP)


def series_gone(name: str) -> Case:
    """The series end: the no-data alert fires after the declared time, and no other alert."""
    repo, slo = slo_named(name)
    flow = constant_flow(60, 0)
    series = {
        s: f"{v} _x{slo.no_data_after.seconds // 60 + 60}"
        for s, v in raw_series(repo, slo, flow).items()
    }
    since = _last_seen(slo) + slo.no_data_after.seconds // 60
    queries = [
        _query(slo, "SloNoData", since - _STEP, fires=False),
        _query(slo, "SloNoData", since, fires=False),
        _query(slo, "SloNoData", since + HOLD, fires=True),
        QueryTest(since + HOLD, firing_query("SloNoEvents", slo=slo.name)),
    ]
    return Case(rules_for_alerts(repo, slo, *_silence(slo)), series, queries, step=_STEP)


def _silence(slo: Slo) -> tuple[str, ...]:
    return ("SloNoData",) if slo.sli.unit == "seconds" else ("SloNoEvents", "SloNoData")


def _last_seen(slo: Slo) -> int:
    """Return the last evaluation that records an increase if the last sample is at minute 60.

    An increase needs two samples in its five minutes; a gauge is looked back at for five, from
    each slice of another five.
    """
    return 65 if slo.sli.unit == "seconds" else 60


def short_gap(name: str) -> Case:
    """The series return just before the declared time ends."""
    repo, slo = slo_named(name)
    away = slo.no_data_after.seconds // 60 - 20
    flow = constant_flow(60, 0)
    series = {s: f"{v} _x{away} {v}" for s, v in raw_series(repo, slo, flow).items()}
    queries = [_query(slo, "SloNoData", t, fires=False) for t in range(0, away + 120, 30)]
    return Case(rules_for_alerts(repo, slo, "SloNoData"), series, queries, step=_STEP)


def _about(slo: Slo, *names: str) -> list[str]:
    return [f'{name}{{slo="{slo.name}"}}' for name in names]


def never_reported(name: str) -> Case:
    """A service without any series: neither met nor not met, and no alert."""
    repo, slo = slo_named(name)
    known = ("slo:compliant:bool", "slo:error_ratio:period", "slo:bad:increase5m")
    queries = [QueryTest(30, expr) for expr in _about(slo, *known)]
    queries.append(QueryTest(30, f'ALERTS{{slo="{slo.name}"}}'))
    series = {"otel_meta_up" + label_text(identity(repo)): "1x60"}
    return Case(rules_of(repo, slo), series, queries, step=_STEP)


def never_bad(name: str) -> Case:
    """No series of bad events: the ratio is 0, the SLO is met, and no alert fires."""
    repo, slo = slo_named(name)
    flow = constant_flow(60, 0)
    series = _without_bad(slo, raw_series(repo, slo, flow))
    who = label_text(identity(repo) | {"slo": slo.name})
    queries = [
        QueryTest(45, _about(slo, series)[0], {f"{series}{who}": value})
        for series, value in (
            ("slo:bad:increase5m", 0.0),
            ("slo:error_ratio:5m", 0.0),
            ("slo:error_ratio:6h", 0.0),
            ("slo:error_ratio:period", 0.0),
            ("slo:error_budget_remaining:ratio", 1.0),
            ("slo:compliant:bool", 1.0),
        )
    ]
    queries += [QueryTest(t, f'ALERTS{{slo="{slo.name}"}}') for t in (5, 30, 55)]
    queries.append(QueryTest(55, NAN))
    return Case(rules_of(repo, slo), series, queries, step=_STEP)


def _without_bad(slo: Slo, series: dict[str, str]) -> dict[str, str]:
    """Remove the series whose counter never increases."""
    return {s: v for s, v in series.items() if "+0.0x" not in v} or series


def never_any_event(name: str) -> Case:
    """No events at all: no ratio, no NaN and no burn alert."""
    repo, slo = slo_named(name)
    flow = constant_flow(90, 0, 0)
    kinds = ("slo:error_ratio:5m", "slo:error_ratio:6h", "slo:error_ratio:period")
    queries = [QueryTest(85, expr) for expr in _about(slo, *kinds, "slo:compliant:bool")]
    queries += [QueryTest(t, NAN) for t in (5, 30, 85)]
    queries += [QueryTest(85, firing_query(alert, slo=slo.name)) for alert in ALERTS.values()]
    return Case(rules_of(repo, slo), raw_series(repo, slo, flow), queries, step=_STEP)


def hour_without_events(name: str) -> Case:
    """An hour without events does not change the ratios, and there is no NaN."""
    repo, slo = slo_named(name)
    flow = constant_flow(60, 0.001) + constant_flow(60, 0, 0) + constant_flow(30, 0.001)
    ratio = _about(slo, "slo:error_ratio:period")[0]
    queries = [QueryTest(t, NAN) for t in range(5, 150, 10)]
    queries += [QueryTest(t, f"abs({ratio} - 0.001) > 0.0001") for t in (60, 90, 120, 145)]
    queries += [QueryTest(t, f"count({ratio})", {"{}": 1.0}) for t in (60, 90, 120, 145)]
    return Case(rules_of(repo, slo), raw_series(repo, slo, flow), queries, step=_STEP)


def one_failure(name: str) -> Case:
    """One bad event in an hour without other events: a ratio above every limit, but no alert."""
    repo, slo = slo_named(name)
    flow = constant_flow(60, 0, 0) + constant_flow(1, 1, 1.0) + constant_flow(60, 0, 0)
    queries = [
        QueryTest(t, firing_query(alert, slo=slo.name))
        for t in range(120)
        for alert in ALERTS.values()
    ]
    queries.append(
        QueryTest(63, f'count(slo:error_ratio:1h{{slo="{slo.name}"}} == 1)', {"{}": 1.0})
    )
    return Case(rules_for_alerts(repo, slo, *ALERTS.values()), raw_series(repo, slo, flow), queries)


def stale(name: str) -> Case:
    """The SLO of a service without data for the declared time has no compliance."""
    repo, slo = slo_named(name)
    late = slo.no_data_after.seconds // 60 + 80
    series = {s: f"{v} _x{late}" for s, v in raw_series(repo, slo, constant_flow(60, 0)).items()}
    queries = [
        QueryTest(late, f"count({firing_query('SloNoData', slo=slo.name)})", {"{}": 1.0}),
        QueryTest(late, _about(slo, "slo:compliant:bool")[0]),
    ]
    return Case(rules_of(repo, slo), series, queries, step=_STEP)


def same_histogram() -> Case:
    """Two SLOs of one histogram: one is not met, and the other is unaffected.

    Half of the events are first bytes of streams, which another histogram counts.
    """
    repo, fine = slo_named("aurora-api-availability")
    _, slow = slo_named("aurora-api-latency")
    series = raw_series(repo, slow, constant_flow(120, 0.5))
    who = label_text(identity(repo) | {"slo": fine.name})
    queries = [
        QueryTest(110, f'ALERTS{{slo="{fine.name}"}}'),
        QueryTest(
            110, f"count({firing_query('SloErrorBudgetBurnFast', slo=slow.name)})", {"{}": 1.0}
        ),
        QueryTest(110, _about(fine, "slo:compliant:bool")[0], {f"slo:compliant:bool{who}": 1.0}),
        QueryTest(110, _about(fine, "slo:bad:increase5m")[0], {f"slo:bad:increase5m{who}": 0.0}),
        QueryTest(
            110, _about(fine, "slo:total:increase5m")[0], {f"slo:total:increase5m{who}": 2500.0}
        ),
    ]
    series = {s: v for s, v in series.items() if "error_type" not in s}
    return Case(rules_of(repo, fine, slow), series, queries, step=_STEP)


def other_repository() -> Case:
    """A service of another meta-repository fails, which does not affect this SLO."""
    repo, slo = slo_named("nebula-api-availability")
    other, others = slo_named("titan-service-availability")
    series = raw_series(other, others, constant_flow(120, 0.5))
    queries = [QueryTest(110, f"{{{label}}}") for label in (f'slo="{slo.name}",service_name!=""',)]
    return Case(rules_of(repo, slo), series, queries, step=_STEP)


def two_services() -> Case:
    """One of two services fails, and the alert names this service alone."""
    repo, slo = slo_named("titan-service-availability")
    series = raw_series(repo, slo, constant_flow(120, 0.5), "broken") | raw_series(
        repo, slo, constant_flow(120, 0), "sound"
    )
    name = ALERTS["page"]
    labels = identity(repo, "broken") | {
        "meta_repository": repo.name,
        "severity": "page",
        "slo": slo.name,
        "team": repo.owner,
    }
    queries = [QueryTest(110, firing_query(name), firing_alert(name, **labels))]
    return Case(rules_of(repo, slo), series, queries, step=_STEP)


def uneven_traffic(name: str) -> Case:
    """An hour with many events, half of them bad, among hours with few events."""
    repo, slo = slo_named(name)
    flow = (
        constant_flow(120, 0, 1000.0)
        + constant_flow(60, 0.5, 100_000.0)
        + constant_flow(120, 0, 1000.0)
    )
    bad, total = (sum(part) for part in zip(*flow, strict=True))
    ratio = _about(slo, "slo:error_ratio:period")[0]
    queries = [QueryTest(295, f"count(abs({ratio} / {bad / total!r} - 1) < 0.01)", {"{}": 1.0})]
    return Case(rules_of(repo, slo), raw_series(repo, slo, flow), queries, step=_STEP)
