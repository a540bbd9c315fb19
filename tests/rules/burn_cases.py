"""Cases of burning budgets: for each SLO and window pair, one that fires and some that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Final

from otel_meta.model import Slo
from tests.rules.committed_rules import closure, slo_named, slos
from tests.rules.promtool import Ask, Case, fired, firing
from tests.rules.raw_series import Flow, identity, inputs, phase
from tests.rules.rule_oracle import Oracle, first

ALERTS: Final = {"page": "SloErrorBudgetBurnFast", "ticket": "SloErrorBudgetBurnSlow"}
STEPS: Final = {"page": 1, "ticket": 5}
"""Minutes between evaluations: tickets look back days, and no window of theirs is affected."""
_DAY: Final = 24 * 60


@dataclass(frozen=True)
class Plan:
    """A flow of events in which a window pair should speak up."""

    severity: str
    arm: int
    before: Flow
    share: float
    """Of bad events, once they begin."""
    ideal: float
    """Minutes until it fires by the workbook's formula: limit * long / share."""


def plans(slo: Slo) -> list[Plan]:
    """One for each window pair, made so that it fires before its siblings where that can be."""
    limits = [float(w.burn_rate(slo.period) * slo.objective.budget) for w in slo.burn_windows]
    shares = [min(1.0, 4 * limits[0])]
    shares += [sqrt(limits[n] * limits[n - 1]) for n in range(1, len(limits))]
    busy = 1000.0 if slo.sli.unit == "seconds" else 20_000.0
    befores = [
        phase(6 * 60, 0),
        phase(6 * 60, 0),
        phase(2 * _DAY, 0, busy) + phase(_DAY, 0),  # so that three days dilute what one does not
        phase(3 * _DAY, 0),
    ]
    return [
        Plan(w.severity, n % 2, before, share, limit * w.long.seconds / 60 / share)
        for n, (w, before, share, limit) in enumerate(
            zip(slo.burn_windows, befores, shares, limits, strict=True)
        )
    ]


def _ask(slo: Slo, severity: str, minute: float, *, fires: bool) -> Ask:
    repo, _ = slo_named(slo.name)
    labels = identity(repo) | {
        "meta_repository": repo.name,
        "severity": severity,
        "slo": slo.name,
        "team": repo.owner,
    }
    name = ALERTS[severity]
    return Ask(minute, firing(name, slo=slo.name), fired(name, **labels) if fires else {})


def fires(name: str, number: int) -> Case:
    """Good traffic, then a steady share of bad: silent until the oracle's minute, then firing.

    Once the bad stops it ends at the oracle's minute too.
    """
    repo, slo = slo_named(name)
    plan = plans(slo)[number]
    step = STEPS[plan.severity]
    quick = plan.severity == "page"
    burn = int(plan.ideal * 1.3) + 15 * step
    after = phase((8 if quick else 26) * 60, 0) if number % 2 == 0 else []
    flow = plan.before + phase(burn, plan.share) + after
    oracle = Oracle.of(slo, flow, step)
    burning = oracle.burning(plan.severity)
    start = first(burning)
    asks = [
        _ask(slo, plan.severity, (start - 1) * step, fires=False),
        _ask(slo, plan.severity, start * step, fires=True),
    ]
    if after:
        end = first([not b for b in burning], start)
        asks += [
            _ask(slo, plan.severity, (end - 1) * step, fires=True),
            _ask(slo, plan.severity, end * step, fires=False),
        ]
        flow = flow[: end * step + step]
    else:
        end = start
        flow = flow[: start * step + step]
    delay = start * step - len(plan.before)
    assert 0 <= delay - plan.ideal <= 5 + 2 * step + plan.ideal / 100, "far from the formula"
    alone = sum(arm[start] for arm in oracle.arms(plan.severity)) == 1
    note = f"after {delay} min (formula: {plan.ideal:.0f}){'' if alone else ', with its sibling'}"
    groups = closure(repo, slo, ALERTS[plan.severity])
    return Case(groups, inputs(repo, slo, flow), asks, step=step, note=note)


def _arms() -> Iterator[tuple[str, int]]:
    """Every SLO and window pair; the slowest, which takes days, once for each set of limits."""
    seen = set()
    for _, slo in slos():
        alike = (type(slo.sli), slo.objective, slo.period)
        yield from (
            (slo.name, n) for n in range(len(slo.burn_windows)) if n < 3 or alike not in seen
        )
        seen.add(alike)


ARMS: Final = tuple(_arms())


def silent(name: str, severity: str) -> Case:
    """A steady share of bad events 3 % below the severity's lowest limit, for hours."""
    repo, slo = slo_named(name)
    step = STEPS[severity]
    lowest = min(
        w.burn_rate(slo.period) * slo.objective.budget
        for w in slo.burn_windows
        if w.severity == severity
    )
    flow = phase(6 * 60 + 30 if severity == "page" else 20 * 60, float(lowest) * 0.97)
    oracle = Oracle.of(slo, flow, step)
    if slo.sli.unit == "seconds":  # whole series are bad or not: wait until the share is even
        flow = phase(3 * 60, 0) + flow
        oracle = Oracle.of(slo, flow, step)
    assert not any(oracle.burning(severity)), f"{name} is not below its limit"
    times = range(step, len(flow), 10 * step)
    asks = [_ask(slo, severity, time, fires=False) for time in times]
    return Case(closure(repo, slo, ALERTS[severity]), inputs(repo, slo, flow), asks, step=step)


def nearly(name: str) -> Case:
    """A burst that ends a minute before it would page: one minute more and the oracle pages."""
    repo, slo = slo_named(name)
    plan = plans(slo)[0]

    def pages(minutes: int) -> bool:
        return any(Oracle.of(slo, _burst(plan, minutes), 1).burning("page"))

    longest = next(n for n in range(1, 200) if pages(n + 1))
    flow = _burst(plan, longest)
    start = len(plan.before)
    asks = [_ask(slo, "page", start + n, fires=False) for n in range(longest + 60)]
    return Case(closure(repo, slo, ALERTS["page"]), inputs(repo, slo, flow), asks)


def _burst(plan: Plan, minutes: int) -> Flow:
    return plan.before + phase(minutes, plan.share) + phase(60, 0)
