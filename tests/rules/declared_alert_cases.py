"""Cases of the alerts that meta-repositories declare, made from what each one measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from otel_meta.model import Alert, MetaRepo, Selector
from otel_meta.model.measures import Increase, Latest, OverTime, RelativeChange, Share
from otel_meta.repos import BUILTIN
from tests.rules.committed_rules import alert_rule
from tests.rules.promtool import Ask, Case, fired, firing
from tests.rules.raw_series import counter, filled, gauge, identity, label_text, unfilled

START = 70
"""The minute, or hour, at which things go wrong: after each window is full."""
WEEK = 7 * 24


@dataclass(frozen=True)
class Course:
    """Series over time, and when their measure crosses its bound."""

    series: dict[str, str]
    crosses: int
    """In intervals."""
    minutes: int = 1
    """Of an interval."""


def alerts() -> Iterator[tuple[type[MetaRepo], Alert]]:
    """Every alert that a meta-repository declares."""
    yield from ((repo, alert) for repo in BUILTIN for alert in repo.alerts.values())


def named(name: str) -> tuple[type[MetaRepo], Alert]:
    """One of them."""
    return next((repo, alert) for repo, alert in alerts() if alert.name == name)


def fires(name: str) -> Case:
    """The measure crosses its bound: silent until it has held as long as declared."""
    repo, alert = named(name)
    course = _course(repo, alert, beyond=True)
    hold = alert.for_.seconds // 60 if alert.for_ else 0
    at = (course.crosses + ceil(hold / course.minutes)) * course.minutes
    asks = [
        Ask(at - course.minutes, firing(name)),
        Ask(at, firing(name), fired(name, **_labels(repo, alert))),
    ]
    return _case(repo, alert, course, asks)


def silent(name: str) -> Case:
    """The measure comes close to its bound and stays there."""
    repo, alert = named(name)
    course = _course(repo, alert, beyond=False)
    last = (course.crosses + 40) * course.minutes
    asks = [Ask(t, firing(name)) for t in range(0, last, 5 * course.minutes)]
    return _case(repo, alert, course, asks)


def absent(name: str) -> Case:
    """Nothing that it measures is there."""
    repo, alert = named(name)
    return _case(repo, alert, Course({}, 0), [Ask(t, firing(name)) for t in range(0, 60, 5)])


def other_state(name: str) -> Case:
    """Another series of the gauge, which the alert passes over, is far beyond its bound."""
    repo, alert = named(name)
    source = next(iter(alert.measure.selectors()))
    labels = label_text(unfilled(source) | identity(repo))
    series = {source.instrument.prometheus_name + labels: "1x100"}
    asks = [Ask(t, firing(name)) for t in range(0, 60, 5)]
    return _case(repo, alert, Course(series, 0), asks)


def _case(repo: type[MetaRepo], alert: Alert, course: Course, asks: list[Ask]) -> Case:
    return Case(
        alert_rule(repo, alert.name),
        course.series,
        asks,
        step=course.minutes,
        interval=f"{course.minutes}m",
    )


def _labels(repo: type[MetaRepo], alert: Alert) -> dict[str, str]:
    source = next(iter(alert.measure.selectors()))
    known = filled(source) | identity(repo)
    return {
        **{label: known[label] for label in alert.measure.by},
        "service_namespace": repo.name,
        "meta_repository": repo.name,
        "severity": alert.severity,
        "team": repo.owner,
    }


def _course(repo: type[MetaRepo], alert: Alert, *, beyond: bool) -> Course:
    match alert.measure:
        case Latest(source):
            return _latest(repo, alert, source, beyond=beyond)
        case OverTime(source):
            return _average(repo, alert, source, beyond=beyond)
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
    return label_text(filled(source, **more) | identity(repo))


def _bound(alert: Alert) -> float:
    return alert.above if alert.above is not None else (alert.below or 0.0)


def _latest(repo: type[MetaRepo], alert: Alert, source: Selector, *, beyond: bool) -> Course:
    bound = _bound(alert)
    after = bound + (1 if alert.below is None else -1) if beyond else bound
    values = [bound] * START + [float(after)] * 100
    return Course({source.instrument.prometheus_name + _text(repo, source): gauge(values)}, START)


def _average(repo: type[MetaRepo], alert: Alert, source: Selector, *, beyond: bool) -> Course:
    """From 1 to nine tenths of the bound's distance beyond it: after 16 of 30 samples."""
    bound = _bound(alert)
    after = bound - 0.9 * (1 - bound) if beyond else bound + 0.02 * (1 - bound)
    values = [1.0] * START + [after] * 100
    series = source.instrument.prometheus_name + _text(repo, source)
    return Course({series: gauge(values)}, START + 15)


def _share(repo: type[MetaRepo], alert: Alert, measure: Share, *, beyond: bool) -> Course:
    """Twice the distance that is allowed, so that half a window of it is one event too many."""
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
        rest = label_text(unfilled(measure.part) | identity(repo))
        series[names[1] + rest] = counter(1000 - p for p in part)
    else:
        series[names[1] + _text(repo, measure.whole)] = counter([1000.0] * len(part))
    return Course(series, START + (minutes - 1) // 2 + 1)


def _growth(repo: type[MetaRepo], alert: Alert, source: Selector, *, beyond: bool) -> Course:
    """A week at 100, then at 125: its weekly average is 20 % higher after 135 of 168 hours."""
    after = 100 * (1 + _bound(alert) * 1.25) if beyond else 100 * (1 + _bound(alert) * 0.97)
    values = [100.0] * (2 * WEEK) + [after] * 200
    series = source.instrument.prometheus_name + _text(repo, source)
    return Course({series: gauge(values)}, 2 * WEEK - 1 + 135, 60)
