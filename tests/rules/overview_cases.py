"""Cases of the alerts across meta-repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.rules.committed_rules import Groups, committed, slo_named, whole
from tests.rules.promtool import Ask, Case, fired, firing
from tests.rules.raw_series import identity, inputs, label_text, phase
from tests.rules.rule_oracle import Oracle, first

NAMES: Final = {
    "SloErrorBudgetBurningFast",
    "SloComplianceLow",
    "SloMultipleViolations",
    "Watchdog",
}
_SLO: Final = "aurora-api-availability"
_HOLD: Final = 5


def _rules() -> Groups:
    return committed()["cross.recording"] + committed()["cross.alerting"]


def _burning(share: float) -> tuple[Case, list[bool]]:
    """An hour of good events, then a share of bad ones; and when ten times the budget burns."""
    repo, slo = slo_named(_SLO)
    flow = phase(70, 0) + phase(120, share)
    oracle = Oracle.of(slo, flow, 1)
    sums = oracle.sums(3600)
    limit = 10 * float(slo.objective.budget)
    holds = [t > 0 and b / t > limit and b / 5 >= 10 for b, t in map(sums, range(len(flow)))]
    return Case(whole(repo, slo) + _rules(), inputs(repo, slo, flow), []), holds


def burns_fast() -> Case:
    """Twice the limit: fires after half an hour and its five minutes."""
    repo, slo = slo_named(_SLO)
    case, holds = _burning(0.02)
    at = first(holds) + _HOLD
    name = "SloErrorBudgetBurningFast"
    labels = identity(repo) | {"slo": slo.name, "severity": "ticket"}
    asks = [Ask(at - 1, firing(name)), Ask(at, firing(name), fired(name, **labels))]
    return Case(case.groups, case.series, asks)


def burns_at_limit() -> Case:
    """Just below ten times."""
    case, holds = _burning(0.0098)
    assert not any(holds)
    asks = [Ask(t, firing("SloErrorBudgetBurningFast")) for t in range(0, 190, 5)]
    return Case(case.groups, case.series, asks)


def _promises(*kept: str) -> dict[str, str]:
    """What is recorded of some SLOs of one service, each minute."""
    repo, _ = slo_named(_SLO)
    return {
        "slo:compliant:bool" + label_text(identity(repo) | {"slo": f"slo-{n}"}): values
        for n, values in enumerate(kept)
    }


def _asks(name: str, at: int, severity: str) -> list[Ask]:
    repo, _ = slo_named(_SLO)
    labels = identity(repo) | {"severity": severity}
    return [Ask(at - 1, firing(name)), Ask(at, firing(name), fired(name, **labels))]


def compliance_low() -> Case:
    """Nineteen of twenty kept is 95 %; eighteen is too few, after a quarter of an hour."""
    kept = ["1x60"] * 18 + ["0x60", "1x20 0x40"]
    return Case(_rules(), _promises(*kept), _asks("SloComplianceLow", 21 + 15, "ticket"))


def compliance_at_limit() -> Case:
    """Nineteen of twenty kept is 95 %, which is enough."""
    asks = [Ask(t, firing("SloComplianceLow")) for t in range(60)]
    return Case(_rules(), _promises(*["1x60"] * 19, "0x60"), asks)


def violations() -> Case:
    """The fourth promise broken within a day, though the others are kept again by then."""
    kept = ["0x5 1x60", "1x10 0x5 1x60", "1x20 0x5 1x60", "1x30 0x5 1x60", "1x90"]
    return Case(_rules(), _promises(*kept), _asks("SloMultipleViolations", 31, "page"))


def violations_at_limit() -> Case:
    """Three promises broken within a day are not told as many."""
    kept = ["0x90", "0x90", "1x20 0x70", "1x90", "1x90"]
    asks = [Ask(t, firing("SloMultipleViolations")) for t in range(0, 90, 5)]
    return Case(_rules(), _promises(*kept), asks)


def violations_forgotten() -> Case:
    """A promise broken over a day ago counts no more."""
    kept = ["0x5 1x1700", *["1x1440 0x300"] * 3]
    asks = [Ask(t, firing("SloMultipleViolations")) for t in (0, 1000, 1450, 1700)]
    return Case(_rules(), _promises(*kept), asks, step=5)


def watchdog() -> Case:
    """It fires whatever there is, from the first evaluation on."""
    labels = {"severity": "none"}
    asks = [Ask(t, firing("Watchdog"), fired("Watchdog", **labels)) for t in (0, 1, 60)]
    return Case(_rules(), {}, asks)


CASES: Final[Mapping[str, Callable[[], Case]]] = MappingProxyType(
    {
        "SloErrorBudgetBurningFast/fires": burns_fast,
        "SloErrorBudgetBurningFast/silent": burns_at_limit,
        "SloComplianceLow/fires": compliance_low,
        "SloComplianceLow/silent": compliance_at_limit,
        "SloMultipleViolations/fires": violations,
        "SloMultipleViolations/silent": violations_at_limit,
        "SloMultipleViolations/forgotten": violations_forgotten,
        "Watchdog/fires": watchdog,
    }
)
