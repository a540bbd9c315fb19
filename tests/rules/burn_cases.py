"""Cases of burning error budgets: alerts that fire and alerts that do not, for each window pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Final

from otel_meta.model import Slo
from tests.rules.committed_rules import rules_for_alerts, slo_named, slos
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import Flow, constant_flow, identity, raw_series
from tests.rules.rule_oracle import Oracle, first_true

ALERTS: Final = {"page": "SloErrorBudgetBurnFast", "ticket": "SloErrorBudgetBurnSlow"}
STEPS: Final = {"page": 1, "ticket": 5}
"""Minutes between evaluations; five minutes are exact enough for the long windows of tickets."""
_DAY: Final = 24 * 60


@dataclass(frozen=True)
class Plan:
    """A flow of events for which a window pair should fire."""

    severity: str
    arm: int
    before: Flow
    share: float
    """The share of bad events after the first bad event."""
    ideal: float
    """Minutes until the alert fires by the workbook's formula: limit * long / share."""


def plans(slo: Slo) -> list[Plan]:
    """Return a plan for each window pair, which fires before the other pairs if possible."""
    limits = [float(w.burn_rate(slo.period) * slo.objective.budget) for w in slo.burn_windows]
    shares = [min(1.0, 4 * limits[0])]
    shares += [sqrt(limits[n] * limits[n - 1]) for n in range(1, len(limits))]
    busy = 1000.0 if slo.sli.unit == "seconds" else 20_000.0
    befores = [
        constant_flow(6 * 60, 0),
        constant_flow(6 * 60, 0),
        constant_flow(2 * _DAY, 0, busy) + constant_flow(_DAY, 0),  # three days dilute a single day
        constant_flow(3 * _DAY, 0),
    ]
    return [
        Plan(w.severity, n % 2, before, share, limit * w.long.seconds / 60 / share)
        for n, (w, before, share, limit) in enumerate(
            zip(slo.burn_windows, befores, shares, limits, strict=True)
        )
    ]


def _query(slo: Slo, severity: str, minute: float, *, fires: bool) -> QueryTest:
    repo, _ = slo_named(slo.name)
    labels = identity(repo) | {
        "meta_repository": repo.name,
        "severity": severity,
        "slo": slo.name,
        "team": repo.owner,
    }
    name = ALERTS[severity]
    return QueryTest(
        minute, firing_query(name, slo=slo.name), firing_alert(name, **labels) if fires else {}
    )


def fires(name: str, number: int) -> Case:
    """Good traffic, then a steady share of bad: fires within an evaluation of the oracle.

    Once the bad stops it ends within an evaluation of the oracle too.
    """
    repo, slo = slo_named(name)
    plan = plans(slo)[number]
    step = STEPS[plan.severity]
    quick = plan.severity == "page"
    burn = int(plan.ideal * 1.3) + 15 * step
    after = constant_flow((2 if quick else 26) * 60, 0) if number % 2 == 0 else []
    flow = plan.before + constant_flow(burn, plan.share) + after
    oracle = Oracle.of(slo, flow, step)
    burning = oracle.burning(plan.severity)
    start = first_true(burning)
    queries = [
        _query(slo, plan.severity, (start - 2) * step, fires=False),
        _query(slo, plan.severity, (start + 1) * step, fires=True),
    ]
    if after:
        end = first_true([not b for b in burning], start)
        queries += [
            _query(slo, plan.severity, (end - 2) * step, fires=True),
            _query(slo, plan.severity, (end + 1) * step, fires=False),
        ]
        flow = flow[: (end + 2) * step]
    else:
        end = start
        flow = flow[: (start + 2) * step]
    delay = start * step - len(plan.before)
    late = delay - plan.ideal
    lumps = 1 / plan.share if slo.sli.unit == "seconds" else 0.0  # few series, bad by turns
    assert -lumps <= late <= 5 + 2 * step + plan.ideal / 100 + lumps, "far from the formula"
    alone = sum(arm[start] for arm in oracle.arms(plan.severity)) == 1
    note = f"after {delay} min (formula: {plan.ideal:.0f}){'' if alone else ', with its sibling'}"
    groups = rules_for_alerts(repo, slo, ALERTS[plan.severity])
    return Case(groups, raw_series(repo, slo, flow), queries, step=step, note=note)


def _arms() -> Iterator[tuple[str, int]]:
    """Yield every SLO and window pair; the slowest pair only once for each set of limits."""
    seen = set()
    for _, slo in slos():
        alike = (type(slo.sli), slo.objective, slo.period)
        yield from (
            (slo.name, n) for n in range(len(slo.burn_windows)) if n < 3 or alike not in seen
        )
        seen.add(alike)


ARMS: Final = tuple(_arms())


def silent(name: str, severity: str) -> Case:
    """A constant share of bad events, 3 % below the severity's lowest limit, for hours."""
    repo, slo = slo_named(name)
    step = STEPS[severity]
    lowest = min(
        w.burn_rate(slo.period) * slo.objective.budget
        for w in slo.burn_windows
        if w.severity == severity
    )
    flow = constant_flow(6 * 60 + 30 if severity == "page" else 20 * 60, float(lowest) * 0.97)
    oracle = Oracle.of(slo, flow, step)
    if slo.sli.unit == "seconds":  # until the share of bad series is even
        flow = constant_flow(3 * 60, 0) + flow
        oracle = Oracle.of(slo, flow, step)
    assert not any(oracle.burning(severity)), f"{name} is not below its limit"
    times = range(step, len(flow), 10 * step)
    queries = [_query(slo, severity, time, fires=False) for time in times]
    return Case(
        rules_for_alerts(repo, slo, ALERTS[severity]),
        raw_series(repo, slo, flow),
        queries,
        step=step,
    )


def burst_too_short(name: str) -> Case:
    """A burst that is two minutes shorter than the shortest burst that pages."""
    repo, slo = slo_named(name)
    plan = plans(slo)[0]

    def pages(minutes: int) -> bool:
        return any(Oracle.of(slo, _burst(plan, minutes), 1).burning("page"))

    longest = next(n for n in range(1, 200) if pages(n + 2))
    flow = _burst(plan, longest)
    start = len(plan.before)
    queries = [_query(slo, "page", start + n, fires=False) for n in range(longest + 60)]
    return Case(rules_for_alerts(repo, slo, ALERTS["page"]), raw_series(repo, slo, flow), queries)


def _burst(plan: Plan, minutes: int) -> Flow:
    return plan.before + constant_flow(minutes, plan.share) + constant_flow(60, 0)
