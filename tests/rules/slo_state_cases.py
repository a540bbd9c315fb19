"""Cases of everything else that an SLO says: exhausted, idle, silent, never seen, never bad."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Slo
from tests.rules.burn_cases import ALERTS
from tests.rules.committed_rules import closure, slo_named, whole
from tests.rules.promtool import Ask, Case, fired, firing
from tests.rules.raw_series import Flow, identity, inputs, label_text, phase
from tests.rules.rule_oracle import Oracle, first

HOLD: Final = 5
"""Minutes that these alerts wait first."""
NAN: Final = 'sum({__name__=~"slo:.*"}) != sum({__name__=~"slo:.*"})'
"""Only NaN differs from itself, and one of them makes a sum NaN."""
_STEP: Final = 5


def _ask(slo: Slo, alert: str, minute: float, *, fires: bool) -> Ask:
    repo, _ = slo_named(slo.name)
    labels = identity(repo) | {
        "meta_repository": repo.name,
        "severity": "page" if alert == "SloErrorBudgetExhausted" else "ticket",
        "slo": slo.name,
        "team": repo.owner,
    }
    return Ask(minute, firing(alert, slo=slo.name), fired(alert, **labels) if fires else {})


def _up(slo: Slo, minutes: int) -> dict[str, str]:
    repo, _ = slo_named(slo.name)
    return {"otel_meta_up" + label_text(identity(repo)): f"1x{minutes}"}


def _period_ratios(slo: Slo, flow: Flow) -> list[float]:
    oracle = Oracle.of(slo, flow, _STEP)
    sums = oracle.sums(slo.period.seconds)
    return [bad / total if total else 0.0 for bad, total in map(sums, range(len(oracle.bad)))]


def exhausted(name: str) -> Case:
    """Four good hours, then half of all bad: fires as soon as the budget of all that is gone."""
    repo, slo = slo_named(name)
    flow = phase(4 * 60, 0) + phase(2 * 60, 0.5)
    budget = float(slo.objective.budget)
    gone = first([ratio >= budget for ratio in _period_ratios(slo, flow)]) * _STEP
    asks = [
        _ask(slo, "SloErrorBudgetExhausted", gone, fires=False),
        _ask(slo, "SloErrorBudgetExhausted", gone + HOLD, fires=True),
    ]
    groups = closure(repo, slo, "SloErrorBudgetExhausted")
    return Case(groups, inputs(repo, slo, flow[: gone + 10]), asks, step=_STEP)


def nearly_exhausted(name: str) -> Case:
    """97 % of the budget is spent, for hours, and 3 % is left."""
    repo, slo = slo_named(name)
    flow = phase(3 * 60, 0) + phase(6 * 60, float(slo.objective.budget) * 0.97)
    assert max(_period_ratios(slo, flow)) < float(slo.objective.budget)
    asks = [_ask(slo, "SloErrorBudgetExhausted", t, fires=False) for t in range(0, len(flow), 30)]
    groups = closure(repo, slo, "SloErrorBudgetExhausted")
    return Case(groups, inputs(repo, slo, flow), asks, step=_STEP)


def _idle_flow(slo: Slo) -> tuple[Flow, int]:
    """An hour of events and then none; and when the last of them leaves what is looked back at."""
    quiet = slo.no_data_after.seconds // 60
    flow = phase(60, 0) + phase(quiet + 60, 0, 0)
    total = Oracle.of(slo, flow, _STEP).total
    last = max(n for n, events in enumerate(total) if events > 0) * _STEP
    return flow, last + quiet


def idle(name: str) -> Case:
    """Its counters stand still while it reports: told after the quiet time, and not before."""
    repo, slo = slo_named(name)
    assert slo.sli.unit == "events", "time never stands still: such an alert is dead"
    flow, since = _idle_flow(slo)
    asks = [
        _ask(slo, "SloNoEvents", since - _STEP, fires=False),
        _ask(slo, "SloNoEvents", since, fires=False),
        _ask(slo, "SloNoEvents", since + HOLD, fires=True),
        Ask(since + HOLD, NAN),
    ]
    series = inputs(repo, slo, flow) | _up(slo, len(flow))
    return Case(closure(repo, slo, "SloNoEvents"), series, asks, step=_STEP)


def busy(name: str) -> Case:
    """One event just within every quiet time keeps a service from being idle."""
    repo, slo = slo_named(name)
    quiet = slo.no_data_after.seconds // 60
    flow = (phase(1, 0, 1.0) + phase(quiet - 15, 0, 0)) * 2
    flow = phase(10, 0, 1.0) + flow
    asks = [_ask(slo, "SloNoEvents", t, fires=False) for t in range(10, len(flow), quiet // 30)]
    series = inputs(repo, slo, flow) | _up(slo, len(flow))
    return Case(closure(repo, slo, "SloNoEvents"), series, asks, step=_STEP)


def newborn(name: str) -> Case:
    """A service that started an hour ago with counters at zero has not been idle for long."""
    repo, slo = slo_named(name)
    flow = phase(60, 0, 0)
    asks = [_ask(slo, "SloNoEvents", t, fires=False) for t in range(5, 60, 5)]
    series = inputs(repo, slo, flow) | _up(slo, len(flow))
    return Case(closure(repo, slo, "SloNoEvents"), series, asks, step=_STEP)


def gone(name: str) -> Case:
    """Its series end: told after the quiet time, and not before; nothing else is."""
    repo, slo = slo_named(name)
    flow = phase(60, 0)
    series = {
        s: f"{v} _x{slo.no_data_after.seconds // 60 + 60}"
        for s, v in inputs(repo, slo, flow).items()
    }
    since = _last_seen(slo) + slo.no_data_after.seconds // 60
    asks = [
        _ask(slo, "SloNoData", since - _STEP, fires=False),
        _ask(slo, "SloNoData", since, fires=False),
        _ask(slo, "SloNoData", since + HOLD, fires=True),
        Ask(since + HOLD, firing("SloNoEvents", slo=slo.name)),
    ]
    return Case(closure(repo, slo, *_silence(slo)), series, asks, step=_STEP)


def _silence(slo: Slo) -> tuple[str, ...]:
    return ("SloNoData",) if slo.sli.unit == "seconds" else ("SloNoEvents", "SloNoData")


def _last_seen(slo: Slo) -> int:
    """The evaluation that last recorded something of series whose last sample is at minute 60.

    An increase needs two samples in its five minutes; a gauge is looked back at for five, from
    each slice of another five.
    """
    return 65 if slo.sli.unit == "seconds" else 60


def back(name: str) -> Case:
    """A silence that ends just within the quiet time is told to nobody."""
    repo, slo = slo_named(name)
    away = slo.no_data_after.seconds // 60 - 20
    flow = phase(60, 0)
    series = {s: f"{v} _x{away} {v}" for s, v in inputs(repo, slo, flow).items()}
    asks = [_ask(slo, "SloNoData", t, fires=False) for t in range(0, away + 120, 30)]
    return Case(closure(repo, slo, "SloNoData"), series, asks, step=_STEP)


def _about(slo: Slo, *names: str) -> list[str]:
    return [f'{name}{{slo="{slo.name}"}}' for name in names]


def unseen(name: str) -> Case:
    """A service that nobody ever saw: neither kept nor broken, and no alert."""
    repo, slo = slo_named(name)
    known = ("slo:compliant:bool", "slo:error_ratio:period", "slo:bad:increase5m")
    asks = [Ask(30, expr) for expr in _about(slo, *known)]
    asks.append(Ask(30, f'ALERTS{{slo="{slo.name}"}}'))
    series = {"otel_meta_up" + label_text(identity(repo)): "1x60"}
    return Case(whole(repo, slo), series, asks, step=_STEP)


def never_bad(name: str) -> Case:
    """A series of bad events that never was: ratio 0, the promise kept, no alert."""
    repo, slo = slo_named(name)
    flow = phase(60, 0)
    series = _without_bad(slo, inputs(repo, slo, flow))
    who = label_text(identity(repo) | {"slo": slo.name})
    asks = [
        Ask(45, _about(slo, series)[0], {f"{series}{who}": value})
        for series, value in (
            ("slo:bad:increase5m", 0.0),
            ("slo:error_ratio:5m", 0.0),
            ("slo:error_ratio:6h", 0.0),
            ("slo:error_ratio:period", 0.0),
            ("slo:error_budget_remaining:ratio", 1.0),
            ("slo:compliant:bool", 1.0),
        )
    ]
    asks += [Ask(t, f'ALERTS{{slo="{slo.name}"}}') for t in (5, 30, 55)]
    asks.append(Ask(55, NAN))
    return Case(whole(repo, slo), series, asks, step=_STEP)


def _without_bad(slo: Slo, series: dict[str, str]) -> dict[str, str]:
    """Without those whose counter never moves."""
    return {s: v for s, v in series.items() if "+0.0x" not in v} or series


def standstill(name: str) -> Case:
    """Nothing happens at all: no ratio, no NaN, no alert that a budget burns."""
    repo, slo = slo_named(name)
    flow = phase(90, 0, 0)
    kinds = ("slo:error_ratio:5m", "slo:error_ratio:6h", "slo:error_ratio:period")
    asks = [Ask(85, expr) for expr in _about(slo, *kinds, "slo:compliant:bool")]
    asks += [Ask(t, NAN) for t in (5, 30, 85)]
    asks += [Ask(85, firing(alert, slo=slo.name)) for alert in ALERTS.values()]
    return Case(whole(repo, slo), inputs(repo, slo, flow), asks, step=_STEP)


def pause(name: str) -> Case:
    """An hour without events between busy ones leaves the ratios as they were, and no NaN."""
    repo, slo = slo_named(name)
    flow = phase(60, 0.001) + phase(60, 0, 0) + phase(30, 0.001)
    ratio = _about(slo, "slo:error_ratio:period")[0]
    asks = [Ask(t, NAN) for t in range(5, 150, 10)]
    asks += [Ask(t, f"abs({ratio} - 0.001) > 0.0001") for t in (60, 90, 120, 145)]
    asks += [Ask(t, f"count({ratio})", {"{}": 1.0}) for t in (60, 90, 120, 145)]
    return Case(whole(repo, slo), inputs(repo, slo, flow), asks, step=_STEP)


def one_failure(name: str) -> Case:
    """One failure in a quiet hour is a ratio far above every limit, and wakes nobody."""
    repo, slo = slo_named(name)
    flow = phase(60, 0, 0) + phase(1, 1, 1.0) + phase(60, 0, 0)
    asks = [Ask(t, firing(alert, slo=slo.name)) for t in range(120) for alert in ALERTS.values()]
    asks.append(Ask(63, f'count(slo:error_ratio:1h{{slo="{slo.name}"}} == 1)', {"{}": 1.0}))
    return Case(closure(repo, slo, *ALERTS.values()), inputs(repo, slo, flow), asks)


def forgotten(name: str) -> Case:
    """Once nobody has heard of a service for its quiet time, its promise is not said to be kept."""
    repo, slo = slo_named(name)
    late = slo.no_data_after.seconds // 60 + 80
    series = {s: f"{v} _x{late}" for s, v in inputs(repo, slo, phase(60, 0)).items()}
    asks = [
        Ask(late, f"count({firing('SloNoData', slo=slo.name)})", {"{}": 1.0}),
        Ask(late, _about(slo, "slo:compliant:bool")[0]),
    ]
    return Case(whole(repo, slo), series, asks, step=_STEP)


def neighbours() -> Case:
    """Two promises about one histogram: one is broken, and the other keeps its numbers."""
    repo, fine = slo_named("aurora-api-availability")
    _, slow = slo_named("aurora-api-latency")
    series = inputs(repo, slow, phase(120, 0.5))
    who = label_text(identity(repo) | {"slo": fine.name})
    asks = [
        Ask(110, f'ALERTS{{slo="{fine.name}"}}'),
        Ask(110, f"count({firing('SloErrorBudgetBurnFast', slo=slow.name)})", {"{}": 1.0}),
        Ask(110, _about(fine, "slo:compliant:bool")[0], {f"slo:compliant:bool{who}": 1.0}),
        Ask(110, _about(fine, "slo:bad:increase5m")[0], {f"slo:bad:increase5m{who}": 0.0}),
        Ask(110, _about(fine, "slo:total:increase5m")[0], {f"slo:total:increase5m{who}": 5000.0}),
    ]
    series = {s: v for s, v in series.items() if "error_type" not in s}
    return Case(whole(repo, fine, slow), series, asks, step=_STEP)


def stranger() -> Case:
    """A service of another meta-repository fails, which is no matter of this one's promise."""
    repo, slo = slo_named("nebula-api-availability")
    other, others = slo_named("titan-service-availability")
    series = inputs(other, others, phase(120, 0.5))
    asks = [Ask(110, f"{{{label}}}") for label in (f'slo="{slo.name}",service_name!=""',)]
    return Case(whole(repo, slo), series, asks, step=_STEP)


def siblings() -> Case:
    """Of two services of a repository one fails, and the alert names that one alone."""
    repo, slo = slo_named("titan-service-availability")
    series = inputs(repo, slo, phase(120, 0.5), "broken") | inputs(
        repo, slo, phase(120, 0), "sound"
    )
    name = ALERTS["page"]
    labels = identity(repo, "broken") | {
        "meta_repository": repo.name,
        "severity": "page",
        "slo": slo.name,
        "team": repo.owner,
    }
    asks = [Ask(110, firing(name), fired(name, **labels))]
    return Case(whole(repo, slo), series, asks, step=_STEP)


def uneven(name: str) -> Case:
    """An hour with half of its many events bad among quiet ones without: events weigh, not time."""
    repo, slo = slo_named(name)
    flow = phase(120, 0, 1000.0) + phase(60, 0.5, 100_000.0) + phase(120, 0, 1000.0)
    bad, total = (sum(part) for part in zip(*flow, strict=True))
    ratio = _about(slo, "slo:error_ratio:period")[0]
    asks = [Ask(295, f"count(abs({ratio} / {bad / total!r} - 1) < 0.01)", {"{}": 1.0})]
    return Case(whole(repo, slo), inputs(repo, slo, flow), asks, step=_STEP)
