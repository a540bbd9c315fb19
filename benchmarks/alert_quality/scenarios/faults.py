"""Faults of one kind on healthy collection: how large, how long, how rare."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from alert_quality.scenario import LATENCY, Scenario, around
from alert_quality.services import DAY, HOUR, MINUTE, Events, Fault, Process, Service
from alert_quality.traffic import FAILED, OK, during, process, random_events, service, step

_LONG = int(1.6 * DAY)


def shares() -> Scenario:
    """Faults of two hours, by their share of bad events."""
    seconds = int(1.75 * DAY)
    parts = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.0158, 0.01, 0.004, 0.0)
    services = [
        service(
            f"share-{share:g}",
            seconds,
            20,
            [Fault(start=DAY, stop=DAY + 2 * HOUR, share=max(share, 1e-4))],
            100 + number,
        )
        for number, share in enumerate(parts)
    ]
    return Scenario(
        name="shares",
        story="Two hours in which 100 % to 0.4 % of the requests fail, and a healthy service.",
        seconds=seconds,
        services=tuple(services),
        checks=(DAY - MINUTE, DAY + 130 * MINUTE, seconds - MINUTE),
        watched=around(DAY, seconds),
    )


def short_faults() -> Scenario:
    """Total outages of minutes, and spikes."""
    services = [
        service(
            f"minutes-{minutes}",
            _LONG,
            20,
            [Fault(start=DAY, stop=DAY + minutes * MINUTE, share=1)],
            200 + minutes,
        )
        for minutes in (1, 3, 5, 10, 20)
    ]
    spikes = [
        Fault(start=at, stop=at + 5 * MINUTE, share=0.1)
        for at in range(DAY, DAY + 3 * HOUR, 30 * MINUTE)
    ]
    return Scenario(
        name="short faults",
        story="Total outages of 1 to 20 minutes, and 10 % bad for 5 of each 30 minutes.",
        seconds=_LONG,
        services=(*services, service("spikes", _LONG, 20, spikes, 210)),
        checks=(DAY - MINUTE, DAY + 40 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def rare_events() -> Scenario:
    """One request an hour."""
    seconds = 3 * DAY
    hours = {"one-bad": (30,), "three-bad": (30, 31, 32), "ten-bad": tuple(range(30, 40))}
    services = [
        Service(
            name=name,
            processes=(_hourly(name, seconds, bad),),
            faults=(Fault(start=30 * HOUR, stop=(bad[-1] + 1) * HOUR, share=1),),
        )
        for name, bad in hours.items()
    ]
    return Scenario(
        name="rare events",
        story="One request an hour, of which one, three in a row or ten in a row fail.",
        seconds=seconds,
        services=tuple(services),
        checks=(30 * HOUR - MINUTE, 36 * HOUR, seconds - MINUTE),
        watched=((30 * HOUR - 30 * MINUTE, 52 * HOUR), (seconds - 30 * MINUTE, seconds)),
    )


def _hourly(name: str, seconds: int, bad_hours: tuple[int, ...]) -> Process:
    good, bad = (np.zeros(seconds, dtype=np.int64) for _ in range(2))
    for hour in range(seconds // HOUR):
        counts = bad if hour in bad_hours else good
        counts[hour * HOUR + 17 * MINUTE + (hour * 37) % 600] = 1
    return Process(
        labels={"service_name": name, "job": name, "instance": f"{name}:8000"},
        start=0,
        stop=seconds,
        events=(Events(labels=OK, counts=good), Events(labels=FAILED, counts=bad, is_bad=True)),
        phase=3.1,
    )


def million() -> Scenario:
    """A large service."""
    seconds = int(1.5 * DAY)
    fault = Fault(start=DAY, stop=DAY + 20 * MINUTE, share=0.02)
    shares_ = during(seconds, [fault], 2e-4)
    return Scenario(
        name="a million a minute",
        story="A million requests a minute; 2 % of them fail for 20 minutes.",
        seconds=seconds,
        services=(service("large", seconds, 16_667, [fault], 900, share=shares_),),
        checks=(DAY - MINUTE, DAY + HOUR, seconds - MINUTE),
        watched=around(DAY, seconds),
    )


def one_pod_of_eight() -> Scenario:
    """A fault of a single replica."""
    services = tuple(_one_of_eight(f"pod-{share:g}", share) for share in (1.0, 0.2, 0.06))
    return Scenario(
        name="one pod of eight",
        story="One of eight replicas fails 100 %, 20 % or 6 % of its requests for two hours.",
        seconds=_LONG,
        services=services,
        checks=(DAY - MINUTE, DAY + 130 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def _one_of_eight(name: str, share: float) -> Service:
    fault = Fault(start=DAY, stop=DAY + 2 * HOUR, share=share)
    healthy, ill = during(_LONG, []), during(_LONG, [fault])
    seed = 9_000 + round(share * 1000)
    pods = tuple(
        process(name, pod, _LONG, 2.5, healthy if pod else ill, seed=seed + 10 * pod)
        for pod in range(8)
    )
    part = Fault(start=fault.start, stop=fault.stop, share=share / 8)
    return Service(name=name, processes=pods, faults=(part,))


def slow_requests() -> Scenario:
    """A latency SLO."""
    parts = {"slow-100": 1.0, "slow-30": 0.3, "slow-9": 0.09, "slow-0.5": 0.005}
    return Scenario(
        name="slow requests",
        story="A latency SLO of 99 % over 7 days: 100 %, 30 %, 9 % and 0.5 % slow for two hours.",
        seconds=_LONG,
        services=tuple(_slow(name, share) for name, share in parts.items()),
        objective=LATENCY,
        buckets=(0.05, 0.1, 0.25, float("inf")),
        checks=(DAY - MINUTE, DAY + 130 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def _slow(name: str, share: float) -> Service:
    fault = Fault(start=DAY, stop=DAY + 2 * HOUR, share=share)
    pods = tuple(_slow_pod(name, pod, fault) for pod in range(2))
    return Service(name=name, processes=pods, faults=(fault,))


def _slow_pod(name: str, pod: int, fault: Fault) -> Process:
    made = process(name, pod, _LONG, 10, during(_LONG, [fault], 1e-3), seed=len(name) * 100 + pod)
    fast, slow = (events.counts for events in made.events)
    return Process(
        labels=made.labels,
        start=0,
        stop=_LONG,
        phase=made.phase,
        events=(
            Events(labels={"http_route": "/x"}, counts=fast),
            Events(labels={"http_route": "/y"}, counts=slow, is_bad=True, duration=2.0),
        ),
    )


def leaks() -> Scenario:
    """Faults that must not page, and one that must."""
    seconds = int(1.75 * DAY)
    rates = {"half-of-6": 0.003, "just-above-6": 0.0066}
    services = [
        service(
            name, seconds, 40, [Fault(start=DAY, stop=DAY + 8 * HOUR, share=share)], 950 + number
        )
        for number, (name, share) in enumerate(rates.items())
    ]
    quiet = step(seconds, DAY, DAY + 8 * HOUR, 0.3, 0.3)
    slow = service("small", seconds, quiet, [Fault(start=DAY, stop=DAY + HOUR, share=0.05)], 960)
    return Scenario(
        name="leaks",
        story="Eight hours at 3 and at 6.6 times the budget, and 5 % of a small service.",
        seconds=seconds,
        services=(*services, slow),
        checks=(DAY - MINUTE, DAY + 490 * MINUTE, seconds - MINUTE),
        watched=((DAY - 20 * MINUTE, DAY + 9 * HOUR), (seconds - 12 * MINUTE, seconds)),
    )


def newborn() -> Scenario:
    """A service on its first day."""
    seconds, start = int(1.1 * DAY), DAY // 2
    return Scenario(
        name="new services",
        story="Services start at half a day; ten minutes later one request fails.",
        seconds=seconds,
        services=tuple(_newborn(seconds, start)),
        checks=(start + 5 * MINUTE, start + 30 * MINUTE, start + 2 * HOUR, seconds - MINUTE),
        watched=((start - 10 * MINUTE, seconds),),
    )


def _newborn(seconds: int, start: int) -> Iterator[Service]:
    for number, rate in enumerate((2.0, 0.5, 0.05)):
        name = f"new-{rate:g}"
        bad = np.zeros(seconds, dtype=np.int64)
        bad[start + 10 * MINUTE] = 1
        events = (
            Events(labels=OK, counts=random_events(rate, seconds, 700 + number)),
            Events(labels=FAILED, counts=bad, is_bad=True),
        )
        labels = {"service_name": name, "job": name, "instance": f"{name}-0:8000"}
        new = Process(labels=labels, start=start, stop=seconds, events=events, phase=1.3)
        yield Service(name=name, processes=(new,))
