"""Traffic of services: random numbers of events each second, from fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alert_quality.services import Birth, Counts, Events, Fault, Gap, Labels, Process, Service

Rate = float | NDArray[np.float64]
"""Events a second, or a share of them: one number, or one for each second."""

BACKGROUND: Final = 1e-4
"""The share of bad events of a healthy service."""
OK: Final = {"http_route": "/x", "http_response_status_code": "200"}
FAILED: Final = {"http_route": "/x", "http_response_status_code": "500", "error_type": "500"}


def random_events(rate: Rate, seconds: int, seed: int) -> Counts:
    """Return a Poisson number of events for each second."""
    return np.random.default_rng(seed).poisson(rate, seconds).astype(np.int64)


def divided(total: Counts, share: Rate, seed: int) -> tuple[Counts, Counts]:
    """Return good and bad events; each event is bad with a probability."""
    bad = np.random.default_rng(seed).binomial(total, share).astype(np.int64)
    return total - bad, bad


def route_events(
    route: str, good: Counts, bad: Counts, *, birth: Birth = "start", origin: int = 0
) -> tuple[Events, Events]:
    """Return the good and the bad events of a route."""
    labels = {"http_route": route}
    failed = {**labels, "error_type": "500"}
    return (
        Events(labels=labels, counts=good, birth=birth, origin=origin),
        Events(labels=failed, counts=bad, is_bad=True, birth=birth, origin=origin),
    )


def during(
    seconds: int, faults: Sequence[Fault], otherwise: float = BACKGROUND
) -> NDArray[np.float64]:
    """Return the share of bad events of each second."""
    shares = np.full(seconds, otherwise, dtype=np.float64)
    for fault in faults:
        shares[fault.start : fault.stop] = fault.share
    return shares


def step(seconds: int, start: int, stop: int, value: float, otherwise: float) -> Rate:
    """Return a rate that has another value from one second to another."""
    rates = np.full(seconds, otherwise, dtype=np.float64)
    rates[start:stop] = value
    return rates


def process(
    name: str,
    number: int,
    seconds: int,
    rate: Rate,
    share: Rate,
    *,
    seed: int,
    start: int = 0,
    stop: int | None = None,
    birth: Birth = "first event",
    gaps: tuple[Gap, ...] = (),
    clock_error: float = 0.0,
    labels: Labels | None = None,
    generation: str = "",
) -> Process:
    """Return a process with good and failed requests of one route."""
    good, bad = divided(random_events(rate, seconds, seed), share, seed + 5)
    return Process(
        labels={
            "service_name": name,
            "job": name,
            "instance": f"{name}-{number}{generation}:8000",
            **(labels or {}),
        },
        start=start,
        stop=seconds if stop is None else stop,
        events=(
            Events(labels=OK, counts=good, birth=birth),
            Events(labels=FAILED, counts=bad, is_bad=True, birth=birth),
        ),
        phase=(1.3 + 5.1 * number) % 15,
        gaps=gaps,
        clock_error=clock_error,
    )


def service(
    name: str,
    seconds: int,
    rate: Rate,
    faults: Sequence[Fault],
    seed: int,
    *,
    share: Rate | None = None,
    pods: int = 2,
    start: int = 0,
    stop: int | None = None,
    birth: Birth = "first event",
    gaps: tuple[Gap, ...] = (),
    clock_error: float = 0.0,
    places: Labels | None = None,
    can_be_counted: bool = True,
) -> Service:
    """Return a service whose processes share its traffic."""
    shares = during(seconds, faults) if share is None else share
    processes = tuple(
        process(
            name,
            number,
            seconds,
            np.asarray(rate, dtype=np.float64) / pods,
            shares,
            seed=seed * 10 + number,
            start=start,
            stop=stop,
            birth=birth,
            gaps=gaps,
            clock_error=clock_error,
            labels=places,
        )
        for number in range(pods)
    )
    return Service(
        name=name,
        processes=processes,
        faults=tuple(faults),
        places=places or {},
        can_be_counted=can_be_counted,
    )
