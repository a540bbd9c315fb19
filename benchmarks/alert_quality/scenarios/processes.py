"""Processes that come and go: deployments, restarts, deaths, renamed services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from alert_quality.scenario import Scenario, around
from alert_quality.services import (
    DAY,
    HOUR,
    MINUTE,
    Birth,
    Events,
    Fault,
    Gap,
    Process,
    Service,
)
from alert_quality.traffic import (
    BACKGROUND,
    divided,
    during,
    process,
    random_events,
    route_events,
    service,
)

_LONG: Final = int(1.6 * DAY)
_TO_DEPLOY: Final = 4 * HOUR


def deploys() -> Scenario:
    """Three processes, replaced every four hours."""
    seconds = 3 * DAY
    kinds: list[tuple[str, int, Birth]] = [
        ("zeroed-5", 5, "start"),
        ("zeroed-20", 20, "start"),
        ("late-5", 5, "first event"),
        ("late-20", 20, "first event"),
    ]
    services = [
        Service(
            name=name,
            processes=tuple(_generations(name, seconds, routes, birth)),
            can_be_counted=birth == "start",
        )
        for name, routes, birth in kinds
    ]
    return Scenario(
        name="deploys",
        story="Three pods, replaced each four hours; 0.08 % fail on 5 or 20 routes, whose error "
        "series begin at zero or with their first error.",
        seconds=seconds,
        services=tuple(services),
        checks=(DAY, 2 * DAY, seconds - MINUTE),
        watched=tuple((at - 20 * MINUTE, at) for at in (DAY + MINUTE, 2 * DAY + MINUTE, seconds)),
    )


def _generations(name: str, seconds: int, routes: int, birth: Birth) -> Iterator[Process]:
    for pod in range(3):
        for number in range(seconds // _TO_DEPLOY):
            start = number * _TO_DEPLOY + (pod * MINUTE if number else 0)
            stop = min(seconds, (number + 1) * _TO_DEPLOY + pod * MINUTE)
            seed = (routes * 10 + pod) * 1_000 + number
            yield Process(
                labels={
                    "service_name": name,
                    "job": name,
                    "instance": f"{name}-{pod}-{number}:8000",
                },
                start=start,
                stop=stop,
                events=tuple(_routes(start, stop, routes, birth, seed)),
                phase=2.3 + 4.1 * pod,
            )


def _routes(start: int, stop: int, routes: int, birth: Birth, seed: int) -> Iterator[Events]:
    for number in range(routes):
        total = random_events(10 / 3 / routes, stop - start, seed * 100 + number)
        good, bad = divided(total, 8e-4, seed * 100 + number)
        yield from route_events(f"/r{number}", good, bad, birth=birth, origin=start)


def restarts() -> Scenario:
    """The counters of one series begin anew."""
    seconds = 2 * DAY
    return Scenario(
        name="restarts",
        story="The only process restarts every two hours under the same labels; 0.08 % fail.",
        seconds=seconds,
        services=(Service(name="restarts", processes=tuple(_restarted(seconds))),),
        checks=(DAY, seconds - MINUTE),
        watched=((DAY - 20 * MINUTE, DAY + MINUTE), (seconds - 20 * MINUTE, seconds)),
    )


def _restarted(seconds: int) -> Iterator[Process]:
    for number in range(seconds // (2 * HOUR)):
        start = number * 2 * HOUR + (5 if number else 0)
        stop = (number + 1) * 2 * HOUR
        good, bad = divided(random_events(10, stop - start, 500 + number), 8e-4, 600 + number)
        yield Process(
            labels={"service_name": "restarts", "job": "restarts", "instance": "same:8000"},
            start=start,
            stop=stop,
            events=route_events("/x", good, bad, origin=start),
            phase=2.3,
        )


def deploy_in_outage() -> Scenario:
    """A fix is deployed, and does not help."""
    fault = Fault(start=DAY, stop=DAY + 90 * MINUTE, share=0.3)
    return Scenario(
        name="deploy in an outage",
        story="30 % fail for 90 minutes, while all pods are replaced after 20 and 40 minutes.",
        seconds=_LONG,
        services=(
            _replaced("replaced", fault, "start"),
            _replaced("replaced-late", fault, "first event"),
        ),
        checks=(DAY - MINUTE, DAY + 2 * HOUR, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def _replaced(name: str, fault: Fault, birth: Birth) -> Service:
    moments = (0, DAY + 20 * MINUTE, DAY + 40 * MINUTE, _LONG)
    shares = during(_LONG, [fault])
    pods = [
        process(
            name,
            pod,
            _LONG,
            10,
            shares,
            seed=1_600 + 10 * number + pod,
            start=start + 30 * pod if start else 0,
            stop=stop if stop == _LONG else stop + 30 * pod,
            birth=birth,
            generation=f"-{number}",
        )
        for number, (start, stop) in enumerate(pairwise(moments))
        for pod in range(2)
    ]
    return Service(
        name=name,
        processes=tuple(pods),
        faults=(fault,),
        can_be_counted=birth == "start",
    )


def deaths() -> Scenario:
    """Processes that end without a word."""
    return Scenario(
        name="deaths",
        story="One of two replicas dies; one dies after a minute of errors; all die for 8 hours.",
        seconds=_LONG,
        services=(_one_dies(), _crash(), _all_die(8 * HOUR), _all_die(30 * MINUTE)),
        checks=(DAY - MINUTE, DAY + HOUR, DAY + 5 * HOUR, _LONG - MINUTE),
        watched=((DAY - 20 * MINUTE, DAY + 10 * HOUR), (_LONG - 12 * MINUTE, _LONG)),
    )


def _one_dies() -> Service:
    alive = service("one-dies", _LONG, 20, [], 1000)
    first, second = alive.processes
    return replace(alive, processes=(first, replace(second, stop=DAY)))


def _crash() -> Service:
    fault = Fault(start=DAY - MINUTE, stop=DAY, share=0.5)
    alive = service("crash", _LONG, 20, [fault], 1010)
    first, second = alive.processes
    return replace(alive, processes=(first, replace(second, stop=DAY)))


def _all_die(seconds: int) -> Service:
    name, fault = f"all-die-{seconds // MINUTE}", Fault(start=DAY, stop=DAY + seconds, share=1)
    before = service(name, _LONG, 20, [], 1020, stop=DAY)
    after = tuple(
        process(
            name, pod, _LONG, 10, BACKGROUND, seed=1030 + pod, start=fault.stop, generation="-new"
        )
        for pod in range(2)
    )
    refused = random_events(20, _LONG, 1029)
    refused[: fault.start] = refused[fault.stop :] = 0
    return Service(
        name=name,
        processes=(*before.processes, *after),
        faults=(fault,),
        refused=refused,
        can_be_counted=False,
    )


def renamed() -> Scenario:
    """A service gets another name."""
    seconds, moment = 3 * DAY, 2 * DAY
    old = service("old-name", seconds, 20, [], 1300, share=9e-4, stop=moment)
    new = service("new-name", seconds, 20, [], 1301, share=BACKGROUND, start=moment)
    return Scenario(
        name="renamed",
        story="A service with half of its budget spent gets another name; both count apart.",
        seconds=seconds,
        services=(old, new),
        checks=(moment - 10 * MINUTE, moment + HOUR, seconds - MINUTE),
        watched=(
            (moment - 30 * MINUTE, moment + 9 * HOUR),
            (seconds - 30 * MINUTE, seconds),
        ),
    )


def unreachable() -> Scenario:
    """Processes that serve, and cannot be scraped."""
    services = [_unscraped(minutes) for minutes in (3, 12, 120)]
    fault = Fault(start=DAY, stop=DAY + 50 * MINUTE, share=0.3)
    gap = (Gap(start=DAY, stop=DAY + 20 * MINUTE),)
    return Scenario(
        name="unreachable",
        story="Not scraped for 3, 12 and 120 minutes in which 30 % fail, and for 20 of 50.",
        seconds=_LONG,
        services=(*services, service("gap-tail", _LONG, 20, [fault], 810, gaps=gap)),
        checks=(DAY - MINUTE, DAY + 150 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def _unscraped(minutes: int) -> Service:
    stop = DAY + minutes * MINUTE
    fault = Fault(start=DAY, stop=stop, share=0.3)
    gap = (Gap(start=DAY, stop=stop),)
    return service(f"gap-{minutes}", _LONG, 20, [fault], 800 + minutes, gaps=gap)
