"""What a scraper sees of services: counters at its scrapes, births, gaps and ends of series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alert_quality.scenario import EPOCH, Scenario, Span
from alert_quality.services import Counts, Events, Labels, Process

Floats = NDArray[np.float64]
METRIC: Final = "http_server_request_duration_seconds"
STALE: Final = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]
"""The value with which Prometheus ends a series."""
SECOND_SCRAPER: Final = 7.0
"""Seconds from a scrape of one server to that of the next."""
PAIR: Final = np.dtype([("time", "<i8"), ("value", "<f8")])


@dataclass(frozen=True)
class Series:
    """A raw series: milliseconds since second 0, and values."""

    labels: dict[str, str]
    times: Counts
    values: Floats
    delay: int = 0
    """Milliseconds from the time of a sample to its arrival."""

    def packed(self) -> bytes:
        """Return the samples as the engine reads them."""
        pairs = np.empty(len(self.times), dtype=PAIR)
        pairs["time"], pairs["value"] = self.times + EPOCH * 1000, self.values
        return pairs.tobytes()


@dataclass(frozen=True)
class Scrapes:
    """Times at which a process was scraped, and times at which its series ended; milliseconds."""

    times: Counts
    ends: Counts


def raw_series(scenario: Scenario) -> Iterator[Series]:
    """Yield every series of a scenario."""
    for number, scraper in enumerate(scenario.scrapers):
        for service in scenario.services:
            for process in service.processes:
                scrapes = scrapes_of(process, scenario, number * SECOND_SCRAPER)
                if len(scrapes.times):
                    yield from _series(process, scenario, scrapes, scraper)


def scrapes_of(process: Process, scenario: Scenario, later: float = 0.0) -> Scrapes:
    """Return the scrapes of a process by a server that starts some seconds later."""
    interval = scenario.scrape_interval * 1000
    first = round((process.start + process.phase + later) * 1000)
    times = np.arange(first, process.stop * 1000, interval, dtype=np.int64)
    gaps = [(gap.start, gap.stop) for gap in process.gaps]
    is_failed = _inside(times, gaps)
    is_missed = _inside(times, scenario.down)
    ends = [times[_inside(times, [gap]) & ~is_missed][:1] for gap in gaps]
    if process.stop < scenario.seconds and len(times):
        end = times[-1:] + interval
        ends.append(end[~_inside(end, scenario.down)])
    return Scrapes(
        times[~is_failed & ~is_missed], np.concatenate([np.empty(0, dtype=np.int64), *ends])
    )


def counted(events: Events, start: int, times: Counts) -> Counts:
    """Return a counter of the events since the start of a process, at times in milliseconds.

    The events of a second are spread over it.
    """
    upto = np.concatenate([[0], np.cumsum(events.counts)])
    seconds = np.minimum(times // 1000 - events.origin, len(events.counts) - 1)
    part = np.floor((times % 1000) / 1000 * events.counts[seconds]).astype(np.int64)
    counter: Counts = upto[seconds] - upto[start - events.origin] + part
    return counter


def _inside(times: Counts, spans: list[Span] | tuple[Span, ...]) -> NDArray[np.bool_]:
    found = np.zeros(len(times), dtype=np.bool_)
    for start, stop in spans:
        found |= (times >= start * 1000) & (times < stop * 1000)
    return found


def _series(
    process: Process, scenario: Scenario, scrapes: Scrapes, scraper: Labels
) -> Iterator[Series]:
    who = {"service_namespace": scenario.objective.repository, **process.labels, **scraper}
    skew = round(process.clock_error * 1000)
    for events in process.events:
        times, values = _exposed(events, process, scrapes)
        if not len(times):
            continue
        labels = {**who, **events.labels}
        for name, bound, is_in in _families(scenario, events):
            seen = values if is_in else np.where(np.isnan(values), values, 0.0)
            yield Series({"__name__": name, **bound, **labels}, times + skew, seen, -skew)
    for name, end in (("up", 0.0), ("otel_meta_up", STALE))[: 1 + process.has_heartbeat]:
        times, values = _ended(scrapes.times, np.ones(len(scrapes.times)), scrapes.ends, end)
        yield Series({"__name__": name, **who}, times + skew, values, -skew)


def _families(scenario: Scenario, events: Events) -> Iterator[tuple[str, dict[str, str], bool]]:
    """Yield the series of a histogram, and whether the events are in them."""
    yield f"{METRIC}_count", {}, True
    for bound in scenario.buckets:
        text = "+Inf" if bound == float("inf") else repr(float(bound))
        yield f"{METRIC}_bucket", {"le": text}, events.duration <= bound


def _exposed(events: Events, process: Process, scrapes: Scrapes) -> tuple[Counts, Floats]:
    values = counted(events, process.start, scrapes.times).astype(np.float64)
    born = 0
    if events.birth == "first event":
        seen = np.flatnonzero(values)
        born = int(seen[0]) if len(seen) else len(values)
    times = scrapes.times[born:]
    if not len(times):
        return times, values[born:]
    ends = scrapes.ends[scrapes.ends > times[0]]
    return _ended(times, values[born:], ends, STALE)


def _ended(times: Counts, values: Floats, ends: Counts, end: float) -> tuple[Counts, Floats]:
    all_times = np.concatenate([times, ends])
    all_values = np.concatenate([values, np.full(len(ends), end)])
    order = np.argsort(all_times, kind="stable")
    return all_times[order], all_values[order]
