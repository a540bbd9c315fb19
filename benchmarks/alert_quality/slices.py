"""Time slices: the share of bad time by the rules, against each second of a gauge's course."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alert_quality.contenders import OTEL_META
from alert_quality.engine import Query, RuleSet, run
from alert_quality.scenario import Objective, Scenario
from alert_quality.scrape import Series
from alert_quality.services import DAY, HOUR, MINUTE

Course = NDArray[np.float64]
"""The value of the gauge in each second; NaN where the process has no value."""

BREAKER: Final = Objective(
    slo="titan-circuit-breaker-availability",
    repository="titan-microservices-mesh",
    target=0.999,
    period=7 * DAY,
)
INTERVALS: Final = (5, 15, 30, 60)
PHASES: Final = 4
_SECONDS: Final = 10 * HOUR
_START: Final = 4 * HOUR


def _flapping(bad: int, period: int) -> Course:
    second = np.arange(_SECONDS)
    is_bad = (second >= _START) & (second % period < bad)
    return np.where(is_bad, 0.0, 1.0)


def _random() -> Course:
    """Return bad times of 20 seconds in the mean, every 400 seconds in the mean."""
    random, course, second = np.random.default_rng(1), np.ones(_SECONDS), float(_START)
    while second < _SECONDS:
        second += random.exponential(400)
        end = second + max(1.0, random.exponential(20))
        course[int(second) : int(end)] = 0
        second = end
    return course


def _window(value: float) -> Course:
    course = np.ones(_SECONDS)
    course[_START : _START + 2 * HOUR] = value
    return course


COURSES: Final[Mapping[str, Callable[[], Course]]] = {
    "good": lambda: np.ones(_SECONDS),
    "bad for 2 h": lambda: _window(0),
    "bad 30 s of 60 s": lambda: _flapping(30, 60),
    "bad 45 s of 90 s": lambda: _flapping(45, 90),
    "bad 60 s of 120 s": lambda: _flapping(60, 120),
    "bad 10 s of 61 s": lambda: _flapping(10, 61),
    "bad 20 s each 7 min, at random": _random,
    "NaN for 2 h": lambda: _window(np.nan),
}


@dataclass(frozen=True, kw_only=True)
class SliceCheck:
    """The share of bad time in the last six hours; shares of one."""

    course: str
    interval: int
    true: float
    said: tuple[float | None, ...]
    """For each phase of the scrapes."""


def check(interval: int, cache: Path | None) -> Iterator[SliceCheck]:
    """Run the rules of a gauge's SLO at a scrape interval, at several phases of the scrapes."""
    at = _SECONDS - MINUTE
    scenario = Scenario(
        name="slices",
        story="A circuit breaker.",
        seconds=_SECONDS,
        services=(),
        objective=BREAKER,
        checks=(at,),
        watched=((at - 15 * MINUTE, _SECONDS),),
        scrape_interval=interval,
    )
    expr = f'slo:error_ratio:period{{slo="{BREAKER.slo}"}}'
    outcome = run(
        scenario,
        [RuleSet(name=OTEL_META.name, files=dict(OTEL_META.files(scenario)))],
        [Query(name="share", expr=expr, times=(at,))],
        series=[
            one
            for name, course in COURSES.items()
            for phase in range(PHASES)
            for one in _series(_name(name, phase), course(), interval, phase)
        ],
        cache=cache,
    )
    for name, course in COURSES.items():
        said = [outcome.value("share", at, service_name=_name(name, n)) for n in range(PHASES)]
        yield SliceCheck(
            course=name, interval=interval, true=_share(course()[:at]), said=tuple(said)
        )


def _name(course: str, phase: int) -> str:
    return f"{course} {phase}"


def _share(course: Course) -> float:
    """Return the share of the seconds with a value that are bad."""
    known = course[~np.isnan(course)]
    return float((known < 1).sum() / len(known))


def _series(name: str, course: Course, interval: int, phase: int) -> Iterator[Series]:
    first = round(interval * 1000 * (phase + 0.3) / PHASES)
    times = np.arange(first, _SECONDS * 1000, interval * 1000, dtype=np.int64)
    who = {
        "service_namespace": BREAKER.repository,
        "service_name": name,
        "instance": f"{name}:8000",
    }
    labels = {"__name__": "circuit_breaker_state", "breaker": "card", "state": "closed", **who}
    yield Series(labels, times, course[times // 1000])
    yield Series({"__name__": "otel_meta_up", **who}, times, np.ones(len(times)))
