"""Services as they are: processes that live for a while, and what each of them did each second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Labels = Mapping[str, str]

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Birth = Literal["start", "first event"]
"""The time from which a series is exposed: the start of its process, or its first event."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events of one label set: how many in each second."""

    labels: Labels
    counts: Counts
    is_bad: bool = False
    birth: Birth = "start"
    duration: float = 0.02
    """Seconds that each of them takes."""
    origin: int = 0
    """The second of the scenario to which the first count belongs."""

    def between(self, start: int, stop: int) -> tuple[int, Counts]:
        """Return the counts of a range of seconds, and the second of the first of them."""
        first, last = max(start, self.origin), min(stop, self.origin + len(self.counts))
        return first, self.counts[first - self.origin : last - self.origin]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Seconds in which a process cannot be scraped."""

    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Process:
    """One scrape target, from its start to its end; seconds of the scenario."""

    labels: Labels
    start: int
    stop: int
    events: tuple[Events, ...]
    phase: float
    """Seconds from the start to the first scrape."""
    gaps: tuple[Gap, ...] = ()
    clock_error: float = 0.0
    """Seconds by which the clock of a process that pushes its series is ahead."""
    has_heartbeat: bool = True
    """False for a process that does not use otel_meta: it has no `otel_meta_up`."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A share of bad events from one second to another, as a person would tell it."""

    start: int
    stop: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service with its identity, its processes and its faults."""

    name: str
    processes: tuple[Process, ...]
    faults: tuple[Fault, ...] = ()
    refused: Counts | None = None
    """Requests that no process could count, each second: all are bad."""
    places: Labels = field(default_factory=dict[str, str])
    """Labels that tell two services of one name apart."""
    can_be_counted: bool = True
    """False if the counters cannot tell the truth, whatever the rules are."""

    @property
    def identity(self) -> dict[str, str]:
        """The labels of the service."""
        return {"service_name": self.name, **self.places}
