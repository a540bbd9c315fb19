"""Cases of the declared alerts of meta-repositories, from their measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from otel_meta.model import Alert, MetaRepo, Selector
from otel_meta.model.measure import Increase, Latest, OverTime, RelativeChange, Share
from otel_meta.repos import BUILTIN
from tests.rules.committed_rules import alert_rule
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import (
    counter,
    gauge,
    identity,
    label_text,
    matching_labels,
    other_labels,
)

START = 70
"""The minute, or hour, of the change: after each window is full."""
WEEK = 7 * 24


@dataclass(frozen=True)
class Course:
    """Series over time, and the time at which their measure crosses the bound."""

    series: dict[str, str]
    crosses: int
    """In intervals."""
    minutes: int = 1
    """Of an interval."""


def alerts() -> Iterator[tuple[type[MetaRepo], Alert]]:
    """Yield every declared alert."""
    yield from ((repo, alert) for repo in BUILTIN for alert in repo.alerts.values())


def named(name: str) -> tuple[type[MetaRepo], Alert]:
    """Return a declared alert."""
    return next((repo, alert) for repo, alert in alerts() if alert.name == name)


def fires(name: str) -> Case:
    """The measure crosses its bound: the alert fires after its declared duration."""
    repo, alert = named(name)
    course = _course(repo, alert, beyond=True)
    hold = alert.for_.seconds // 60 if alert.for_ else 0
    at = (course.crosses + ceil(hold / course.minutes)) * course.minutes
    queries = [
        QueryTest(at - course.minutes, firing_query(name)),
        QueryTest(at, firing_query(name), firing_alert(name, **_labels(repo, alert))),
    ]
    return _case(repo, alert, course, queries)


def silent(name: str) -> Case:
    """The measure stays close to its bound."""
    repo, alert = named(name)
    course = _course(repo, alert, beyond=False)
    last = (course.crosses + 40) * course.minutes
    queries = [QueryTest(t, firing_query(name)) for t in range(0, last, 5 * course.minutes)]
    return _case(repo, alert, course, queries)


def absent(name: str) -> Case:
    """The series of the measure are absent."""
    repo, alert = named(name)
    return _case(
        repo, alert, Course({}, 0), [QueryTest(t, firing_query(name)) for t in range(0, 60, 5)]
    )


def other_state(name: str) -> Case:
    """Another series of the gauge, outside the alert's selector, is far beyond the bound."""
    repo, alert = named(name)
    source = next(iter(alert.measure.selectors()))
    labels = label_text(other_labels(source) | identity(repo))
    series = {source.instrument.prometheus_name + labels: "1x100"}
    queries = [QueryTest(t, firing_query(name)) for t in range(0, 60, 5)]
    return _case(repo, alert, Course(series, 0), queries)


def first_of_its_kind() -> Case:
    """A task fails for the first time, which begins its series: the alert fires."""
    repo, alert = named("ChronosAirflowTaskFailures")
    source = next(iter(alert.measure.selectors()))
    target = {"job": "chronos/svc", "instance": "a"}
    name = source.instrument.prometheus_name + _text(repo, source, **target)
    series = {name: f"_x{START} 1x100", _heartbeat(repo, target): "1x200"}
    queries = [
        QueryTest(START - 1, firing_query(alert.name)),
        QueryTest(
            START, firing_query(alert.name), firing_alert(alert.name, **_labels(repo, alert))
        ),
        QueryTest(START + 16, firing_query(alert.name)),
    ]
    return _case(repo, alert, Course(series, START), queries)


def counted_before() -> Case:
    """Prometheus finds a process that has counted for days: the alert does not fire."""
    repo, alert = named("ChronosAirflowTaskFailures")
    source = next(iter(alert.measure.selectors()))
    target = {"job": "chronos/svc", "instance": "a"}
    name = source.instrument.prometheus_name + _text(repo, source, **target)
    series = {name: f"_x{START} 7x100", _heartbeat(repo, target): f"_x{START} 1x100"}
    queries = [QueryTest(t, firing_query(alert.name)) for t in range(START, START + 60, 5)]
    return _case(repo, alert, Course(series, START), queries)


def _heartbeat(repo: type[MetaRepo], target: dict[str, str]) -> str:
    return "otel_meta_up" + label_text(identity(repo) | target)


def _case(repo: type[MetaRepo], alert: Alert, course: Course, queries: list[QueryTest]) -> Case:
    return Case(
        alert_rule(repo, alert.name),
        course.series,
        queries,
        step=course.minutes,
        interval=f"{course.minutes}m",
    )


def _labels(repo: type[MetaRepo], alert: Alert) -> dict[str, str]:
    source = next(iter(alert.measure.selectors()))
    known = matching_labels(source) | identity(repo)
    about = {} if alert.slo is None else {"slo": alert.slo.name}
    return {
        **{label: known[label] for label in alert.measure.by},
        **about,
        "service_namespace": repo.name,
        "meta_repository": repo.name,
        "severity": alert.severity,
        "team": repo.owner,
    }


def _course(repo: type[MetaRepo], alert: Alert, *, beyond: bool) -> Course:
    match alert.measure:
        case Latest(source):
            return _latest(repo, alert, source, beyond=beyond)
        case Increase(source):
            steps = [0.0] * (START - 1) + [1.0 if beyond else 0.0] + [0.0] * 100
            name = source.instrument.prometheus_name
            return Course({name + _text(repo, source): counter(steps)}, START)
        case Share():
            return _share(repo, alert, alert.measure, beyond=beyond)
        case RelativeChange(OverTime(source)):
            return _growth(repo, alert, source, beyond=beyond)
        case other:
            raise AssertionError(f"nothing here knows how to move {other}")


def _text(repo: type[MetaRepo], source: Selector, **more: str) -> str:
    return label_text(matching_labels(source, **more) | identity(repo))


def _bound(alert: Alert) -> float:
    return alert.above if alert.above is not None else (alert.below or 0.0)


def _latest(repo: type[MetaRepo], alert: Alert, source: Selector, *, beyond: bool) -> Course:
    bound = _bound(alert)
    after = bound + (1 if alert.below is None else -0.1) if beyond else bound
    values = [bound] * START + [float(after)] * 100
    return Course({source.instrument.prometheus_name + _text(repo, source): gauge(values)}, START)


def _share(repo: type[MetaRepo], alert: Alert, measure: Share, *, beyond: bool) -> Course:
    """Move to twice the allowed distance; the share crosses the bound after half a window."""
    minutes = measure.over.seconds // 60
    best = 0.0 if alert.below is None else 1.0
    bound = _bound(alert)
    after = best + (bound - best) * (2 if beyond else 0.97)
    shares = [best] * START + [after] * 200
    part = [round(1000 * share * 1024) / 1024 for share in shares]
    suffix = "_count" if measure.whole.instrument.kind == "histogram" else ""
    names = [m.instrument.prometheus_name + suffix for m in (measure.part, measure.whole)]
    series = {names[0] + _text(repo, measure.part): counter(part)}
    if measure.part.instrument is measure.whole.instrument:
        rest = label_text(other_labels(measure.part) | identity(repo))
        series[names[1] + rest] = counter(1000 - p for p in part)
    else:
        series[names[1] + _text(repo, measure.whole)] = counter([1000.0] * len(part))
    return Course(series, START + (minutes - 1) // 2 + 1)


def _growth(repo: type[MetaRepo], alert: Alert, source: Selector, *, beyond: bool) -> Course:
    """Two weeks at 100, then 125: the weekly average is 20 % higher after 135 of 168 hours."""
    after = 100 * (1 + _bound(alert) * 1.25) if beyond else 100 * (1 + _bound(alert) * 0.97)
    values = [100.0] * (2 * WEEK) + [after] * 200
    series = source.instrument.prometheus_name + _text(repo, source)
    return Course({series: gauge(values)}, 2 * WEEK - 1 + 135, 60)
