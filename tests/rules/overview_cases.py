"""Cases of the alerts over several SLOs, from recorded series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.repos import Aurora, Titan
from tests.rules.committed_rules import Groups, committed_groups
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import identity, label_text

NAMES: Final = {
    "SloErrorBudgetBurningFast",
    "SloComplianceLow",
    "SloMultipleViolations",
    "Watchdog",
}
_SLO: Final = Aurora.api_availability
_OWNER: Final = {"meta_repository": Aurora.name, "team": Aurora.owner}
_QUIET: Final = range(0, 90, 5)


def _rules() -> Groups:
    return committed_groups()["cross.recording"] + committed_groups()["cross.alerting"]


def _series(name: str, slo: str, values: str, service: str = "svc") -> dict[str, str]:
    return {name + label_text(identity(Aurora, service) | {"slo": slo}): values}


def _burning(*, hour: str, now: str, bad: str = "50x60") -> dict[str, str]:
    """Return the recordings of an SLO of 99.9 %: burn rate, share of bad events, bad events."""
    return {
        **_series("slo:burn_rate:1h", _SLO.name, hour),
        **_series("slo:error_ratio:5m", _SLO.name, now),
        **_series("slo:objective:ratio", _SLO.name, "0.999x90"),
        **_series("slo:bad:increase1h", _SLO.name, bad),
    }


def _fires(name: str, series: dict[str, str], at: int, **labels: str) -> Case:
    """The alert fires at a minute, not at the minute before."""
    queries = [
        QueryTest(at - 1, firing_query(name)),
        QueryTest(at, firing_query(name), firing_alert(name, **labels, **_OWNER)),
    ]
    return Case(_rules(), series, queries)


def _silent(name: str, series: dict[str, str]) -> Case:
    return Case(_rules(), series, [QueryTest(t, firing_query(name)) for t in _QUIET])


def burns_fast() -> Case:
    """A burn rate above ten over an hour and over five minutes: fires after five minutes."""
    labels = identity(Aurora) | {"slo": _SLO.name, "severity": "ticket"}
    series = _burning(hour="10x19 10.5x60", now="0.02x90")
    return _fires("SloErrorBudgetBurningFast", series, 25, **labels)


def burns_at_limit() -> Case:
    """A burn rate of ten does not fire."""
    return _silent("SloErrorBudgetBurningFast", _burning(hour="10x90", now="0.02x90"))


def burned_before() -> Case:
    """An hour with a high burn rate that is over does not fire."""
    return _silent("SloErrorBudgetBurningFast", _burning(hour="20x90", now="0.009x90"))


def burns_by_few() -> Case:
    """Nine bad events do not fire."""
    series = _burning(hour="20x90", now="0.02x90", bad="9x90")
    return _silent("SloErrorBudgetBurningFast", series)


def _compliance(*kept: str, services: int = 1) -> dict[str, str]:
    """Return the compliance of some SLOs of some services, each minute."""
    return {
        name: values
        for number in range(services)
        for n, each in enumerate(kept)
        for name, values in _series(
            "slo:compliant:bool", f"slo-{n}", each, f"svc-{number}" if number else "svc"
        ).items()
    }


def compliance_low() -> Case:
    """38 of 40 SLOs of a meta-repository are met, then 37: fires after a quarter of an hour."""
    series = _compliance(*["1x60"] * 19, "0x60", services=2)
    last = next(reversed(_compliance("1x60", services=2)))
    series[last] = "1x20 0x40"
    labels = {"service_namespace": Aurora.name, "severity": "ticket"}
    return _fires("SloComplianceLow", series, 21 + 15, **labels)


def compliance_at_limit() -> Case:
    """38 of 40 SLOs met is 95 %: does not fire."""
    return _silent("SloComplianceLow", _compliance(*["1x90"] * 19, "0x90", services=2))


def one_exhausted_budget() -> Case:
    """One of five SLOs is not met: it has an alert of its own, and this alert does not fire."""
    return _silent("SloComplianceLow", _compliance("0x90", *["1x90"] * 4))


def _violations(*kept: str, burning: int = 2, recent: str = "0.0011x100") -> dict[str, str]:
    series = _compliance(*kept)
    for n in range(burning):
        series |= _series("slo:burn_rate:1h", f"slo-{n}", "1.1x100")
        series |= _series("slo:error_ratio:5m", f"slo-{n}", recent)
        series |= _series("slo:objective:ratio", f"slo-{n}", "0.999x100")
        series |= _series("slo:bad:increase1h", f"slo-{n}", "3x100")
    return series


def violations() -> Case:
    """The second of four SLOs is not met within a day, while two budgets burn: fires."""
    kept = ["1x9 0x90", "1x29 0x90", "1x100", "1x100"]
    labels = identity(Aurora) | {"severity": "page"}
    return _fires("SloMultipleViolations", _violations(*kept), 35, **labels)


def violations_of_small_service() -> Case:
    """Both SLOs of a service with two are not met: fires, where three would never be reached."""
    labels = identity(Aurora) | {"severity": "page"}
    series = _violations("0x100", "1x29 0x90")
    return _fires("SloMultipleViolations", series, 35, **labels)


def violations_at_limit() -> Case:
    """Two of five SLOs are less than half, and one of one is not several: does not fire."""
    two = _violations("0x90", "0x90", *["1x90"] * 3)
    return _silent("SloMultipleViolations", two)


def violations_in_the_past() -> Case:
    """All SLOs were not met a short time ago, and one budget burns now: does not fire."""
    series = _violations(*["0x30 1x60"] * 4, burning=1)
    return _silent("SloMultipleViolations", series)


def violations_repaired() -> Case:
    """The burn rates of the hour are high, and the last minutes are good: does not fire."""
    return _silent("SloMultipleViolations", _violations(*["0x90"] * 4, recent="0.0009x100"))


def violations_forgotten() -> Case:
    """An SLO that was not met more than a day ago does not count."""
    kept = ["0x5 1x1700", "1x1450 0x300", "1x1700"]
    queries = [QueryTest(t, firing_query("SloMultipleViolations")) for t in (0, 1000, 1460, 1700)]
    long = {n: v.replace("x100", "x1750") for n, v in _violations(*kept).items()}
    return Case(_rules(), long, queries, step=5)


def other_repository() -> Case:
    """The violations of one meta-repository do not fire for another."""
    case = violations()
    query = firing_query("SloMultipleViolations", meta_repository=Titan.name)
    return Case(case.groups, case.series, [QueryTest(t, query) for t in _QUIET])


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
        "SloErrorBudgetBurningFast/over": burned_before,
        "SloErrorBudgetBurningFast/few": burns_by_few,
        "SloComplianceLow/fires": compliance_low,
        "SloComplianceLow/silent": compliance_at_limit,
        "SloComplianceLow/one": one_exhausted_budget,
        "SloMultipleViolations/fires": violations,
        "SloMultipleViolations/two": violations_of_small_service,
        "SloMultipleViolations/silent": violations_at_limit,
        "SloMultipleViolations/past": violations_in_the_past,
        "SloMultipleViolations/repaired": violations_repaired,
        "SloMultipleViolations/forgotten": violations_forgotten,
        "SloMultipleViolations/other": other_repository,
        "Watchdog/fires": watchdog,
    }
)
