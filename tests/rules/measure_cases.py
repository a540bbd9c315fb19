"""Cases of measures over days: processes that come and go, replicas, gaps, and raw series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.repos import Aurora, Obsidian, Titan
from tests.rules.committed_rules import measures_for
from tests.rules.promtool import Case, QueryTest
from tests.rules.raw_series import identity, label_text

_TREND: Final = "severity:security_findings_open:avg_7d"
_CLOSED: Final = "breaker:circuit_breaker_state:closed_avg_7d"
_USERS: Final = "service:active_users:max_1d"
_LATENCY: Final = "service:http_server_request_duration_seconds:p99_7d"
_DAY: Final = 24 * 12
"""The samples of a day, one in five minutes."""


def _findings(values: str, pod: str, scanner: str = "trivy") -> dict[str, str]:
    labels = {"severity": "high", "scanner": scanner, "instance": pod}
    return {"security_findings_open" + label_text(identity(Obsidian) | labels): values}


def _trend(series: dict[str, str], expected: float) -> Case:
    """Expect the average of seven days at the end of the seventh day."""
    name = _TREND + label_text({"service_namespace": Obsidian.name, "severity": "high"})
    queries = [QueryTest(7 * 24 * 60 - 5, _TREND, {name: expected})]
    return Case([measures_for(Obsidian, _TREND)], series, queries, step=5, interval="5m")


def findings_with_a_deployment_a_day() -> Case:
    """Twelve open findings, reported by a new process each day: twelve, not 84."""
    series: dict[str, str] = {}
    for day in range(7):
        before = f"_x{day * _DAY} " if day else ""
        series |= _findings(f"{before}12x{_DAY - 1} stale", f"pod-{day}")
    return _trend(series, 12)


def findings_of_three_replicas() -> Case:
    """Twelve open findings, reported by three replicas: twelve, not 36."""
    series = {k: v for n in range(3) for k, v in _findings(f"12x{7 * _DAY}", f"pod-{n}").items()}
    return _trend(series, 12)


def findings_of_two_scanners() -> Case:
    """Twelve findings of one scanner and five of another add up."""
    series = _findings(f"12x{7 * _DAY}", "a") | _findings(f"5x{7 * _DAY}", "a", "semgrep")
    return _trend(series, 17)


def breaker_of_dead_process() -> Case:
    """A breaker that was open in a process of the first half, and closed since, was closed half."""
    half = 7 * _DAY // 2
    state = identity(Titan) | {"breaker": "stock", "state": "closed"}
    series = {
        "circuit_breaker_state" + label_text(state | {"instance": "a"}): f"0x{half - 1} stale",
        "circuit_breaker_state" + label_text(state | {"instance": "b"}): f"_x{half} 1x{half}",
    }
    name = _CLOSED + label_text({"service_namespace": Titan.name, "breaker": "stock"})
    queries = [QueryTest(7 * 24 * 60 - 5, _CLOSED, {name: 0.5})]
    return Case([measures_for(Titan, _CLOSED)], series, queries, step=5, interval="5m")


def users_after_deployments() -> Case:
    """The maximum of users, of two plans at a time, does not add processes that are gone."""
    series: dict[str, str] = {}
    for pod in range(3):
        for plan, users in (("free", 100), ("pro", 20)):
            labels = identity(Aurora) | {"plan": plan, "instance": f"pod-{pod}"}
            before = f"_x{pod * 60} " if pod else ""
            series["active_users" + label_text(labels)] = f"{before}{users}x59 stale"
    name = _USERS + label_text(identity(Aurora))
    queries = [QueryTest(170, _USERS, {name: 120})]
    return Case([measures_for(Aurora, _USERS)], series, queries)


def _requests(values: Mapping[str, str], pod: str) -> dict[str, str]:
    name = "http_server_request_duration_seconds_bucket"
    labels = identity(Aurora) | {"instance": pod}
    return {name + label_text(labels | {"le": le}): text for le, text in values.items()}


def _latency(series: dict[str, str], minute: int, expected: float) -> Case:
    name = _LATENCY + label_text(identity(Aurora))
    queries = [
        QueryTest(minute, f"round({_LATENCY}, 0.001)", {label_text(identity(Aurora)): expected})
    ]
    assert name.startswith(_LATENCY)
    return Case([measures_for(Aurora, _LATENCY)], series, queries)


def _pod(minutes: int, slow: int, before: int = 0) -> dict[str, str]:
    """Return buckets of 100 requests a minute, some of which take between 0.1 and 0.25 s."""
    gap = f"_x{before} " if before else ""
    return {
        "0.1": f"{gap}0+{100 - slow}x{minutes}",
        "0.25": f"{gap}0+100x{minutes}",
        "+Inf": f"{gap}0+100x{minutes}",
    }


def percentile_of_two_processes() -> Case:
    """One process has 4 % slow requests, the other none: P99 lies in the middle of the bucket."""
    series = _requests(_pod(1500, 4), "a") | _requests(_pod(1500, 0), "b")
    return _latency(series, 1500, 0.175)


def percentile_of_first_hour() -> Case:
    """A young service has a percentile before the first full hour."""
    return _latency(_requests(_pod(200, 2, before=65), "a"), 85, 0.175)


CASES: Final[Mapping[str, Callable[[], Case]]] = MappingProxyType(
    {
        make.__name__: make
        for make in (
            findings_with_a_deployment_a_day,
            findings_of_three_replicas,
            findings_of_two_scanners,
            breaker_of_dead_process,
            users_after_deployments,
            percentile_of_two_processes,
            percentile_of_first_hour,
        )
    }
)
