"""Cases of the alerts across meta-repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.rules.committed_rules import Groups, committed_groups, rules_of, slo_named
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import constant_flow, identity, label_text, raw_series
from tests.rules.rule_oracle import Oracle, first_true

NAMES: Final = {
    "SloErrorBudgetBurningFast",
    "SloComplianceLow",
    "SloMultipleViolations",
    "Watchdog",
}
_SLO: Final = "aurora-api-availability"
_HOLD: Final = 5


def _rules() -> Groups:
    return committed_groups()["cross.recording"] + committed_groups()["cross.alerting"]


def _burning(share: float) -> tuple[Case, list[bool]]:
    """Return an hour of good events, then a share of bad events, and when the rate is above ten."""
    repo, slo = slo_named(_SLO)
    flow = constant_flow(70, 0) + constant_flow(120, share)
    oracle = Oracle.of(slo, flow, 1)
    sums = oracle.sums(3600)
    limit = 10 * float(slo.objective.budget)
    holds = [t > 0 and b / t > limit and b / 5 >= 10 for b, t in map(sums, range(len(flow)))]
    return Case(rules_of(repo, slo) + _rules(), raw_series(repo, slo, flow), []), holds


def burns_fast() -> Case:
    """Twice the limit: fires after half an hour and five minutes."""
    repo, slo = slo_named(_SLO)
    case, holds = _burning(0.02)
    at = first_true(holds) + _HOLD
    name = "SloErrorBudgetBurningFast"
    labels = identity(repo) | {"slo": slo.name, "severity": "ticket"}
    queries = [
        QueryTest(at - 1, firing_query(name)),
        QueryTest(at, firing_query(name), firing_alert(name, **labels)),
    ]
    return Case(case.groups, case.series, queries)


def burns_at_limit() -> Case:
    """A burn rate just below ten."""
    case, holds = _burning(0.0098)
    assert not any(holds)
    queries = [QueryTest(t, firing_query("SloErrorBudgetBurningFast")) for t in range(0, 190, 5)]
    return Case(case.groups, case.series, queries)


def _compliance(*kept: str) -> dict[str, str]:
    """Return the compliance of some SLOs of one service, each minute."""
    repo, _ = slo_named(_SLO)
    return {
        "slo:compliant:bool" + label_text(identity(repo) | {"slo": f"slo-{n}"}): values
        for n, values in enumerate(kept)
    }


def _queries(name: str, at: int, severity: str) -> list[QueryTest]:
    repo, _ = slo_named(_SLO)
    labels = identity(repo) | {"severity": severity}
    return [
        QueryTest(at - 1, firing_query(name)),
        QueryTest(at, firing_query(name), firing_alert(name, **labels)),
    ]


def compliance_low() -> Case:
    """18 of 20 SLOs met: fires after a quarter of an hour."""
    kept = ["1x60"] * 18 + ["0x60", "1x20 0x40"]
    return Case(_rules(), _compliance(*kept), _queries("SloComplianceLow", 21 + 15, "ticket"))


def compliance_at_limit() -> Case:
    """19 of 20 SLOs met is 95 %: does not fire."""
    queries = [QueryTest(t, firing_query("SloComplianceLow")) for t in range(60)]
    return Case(_rules(), _compliance(*["1x60"] * 19, "0x60"), queries)


def violations() -> Case:
    """The fourth SLO is not met within a day, after the other SLOs are met again."""
    kept = ["0x5 1x60", "1x10 0x5 1x60", "1x20 0x5 1x60", "1x30 0x5 1x60", "1x90"]
    return Case(_rules(), _compliance(*kept), _queries("SloMultipleViolations", 31, "page"))


def violations_at_limit() -> Case:
    """Three SLOs not met within a day: does not fire."""
    kept = ["0x90", "0x90", "1x20 0x70", "1x90", "1x90"]
    queries = [QueryTest(t, firing_query("SloMultipleViolations")) for t in range(0, 90, 5)]
    return Case(_rules(), _compliance(*kept), queries)


def violations_forgotten() -> Case:
    """An SLO that was not met more than a day ago does not count."""
    kept = ["0x5 1x1700", *["1x1440 0x300"] * 3]
    queries = [QueryTest(t, firing_query("SloMultipleViolations")) for t in (0, 1000, 1450, 1700)]
    return Case(_rules(), _compliance(*kept), queries, step=5)


def watchdog() -> Case:
    """The watchdog fires from the first evaluation on, without any series."""
    labels = {"severity": "none"}
    queries = [
        QueryTest(t, firing_query("Watchdog"), firing_alert("Watchdog", **labels))
        for t in (0, 1, 60)
    ]
    return Case(_rules(), {}, queries)


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
