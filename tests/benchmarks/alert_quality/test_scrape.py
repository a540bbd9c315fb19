"""What a scraper sees: phases, births, gaps, ends, clocks and two scrapers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from alert_quality.scenario import Scenario
from alert_quality.scrape import Series, raw_series
from alert_quality.services import Events, Gap, Process, Service

COUNT = "http_server_request_duration_seconds_count"
FAILED = {"error_type": "500"}
PROCESS = Process(
    labels={"service_name": "s", "instance": "i"},
    start=0,
    stop=300,
    events=(
        Events(labels={}, counts=np.full(300, 2, dtype=np.int64)),
        Events(
            labels=FAILED,
            counts=(np.arange(300) == 100).astype(np.int64),
            is_bad=True,
            birth="first event",
            duration=2.0,
        ),
    ),
    phase=5.0,
)
SCENARIO = Scenario(
    name="s",
    story="",
    seconds=300,
    services=(Service(name="s", processes=(PROCESS,)),),
    checks=(),
)


def _series(process: Process = PROCESS, scenario: Scenario = SCENARIO) -> list[Series]:
    return list(raw_series(replace(scenario, services=(Service(name="s", processes=(process,)),))))


def _one(found: list[Series], name: str = COUNT, **labels: str) -> Series:
    return next(
        one
        for one in found
        if {"__name__": name, **labels}.items() <= one.labels.items()
        and ("error_type" in labels) == ("error_type" in one.labels)
    )


def test_counter_has_events_since_start_at_each_scrape() -> None:
    """A counter has the events since the start of its process, at the phase of its scrapes."""
    found = _one(_series())

    assert [5_000, 20_000, 35_000] == found.times[:3].tolist()
    assert [10, 40, 70] == found.values[:3].tolist()


def test_late_series_is_born_after_its_first_event_with_its_count() -> None:
    """A series that begins with its first event is first seen with a count of one."""
    found = _one(_series(), **FAILED)

    assert (110_000, 1) == (found.times[0], found.values[0])


def test_gap_ends_series_and_counter_goes_on() -> None:
    """In a gap, a series ends with a stale marker; afterwards the counter has all events."""
    found = _one(_series(replace(PROCESS, gaps=(Gap(start=60, stop=120),))))
    by_time = dict(zip(found.times.tolist(), found.values.tolist(), strict=True))

    assert np.isnan(by_time[65_000])
    assert 80_000 not in by_time
    assert 250 == by_time[125_000]


def test_process_that_ends_leaves_target_that_is_down() -> None:
    """After the end of a process, its target is down and its heartbeat has ended."""
    found = _series(replace(PROCESS, stop=150))
    up, heartbeat = (_one(found, name) for name in ("up", "otel_meta_up"))

    assert (155_000, 0) == (up.times[-1], up.values[-1])
    assert np.isnan(heartbeat.values[-1])


def test_samples_are_missing_while_prometheus_is_down() -> None:
    """While Prometheus is down there are no samples and no stale markers."""
    found = _one(_series(scenario=replace(SCENARIO, down=((60, 120),))))

    assert not [at for at in found.times.tolist() if 60_000 <= at < 120_000]
    assert not np.isnan(found.values).any()


def test_bucket_has_events_up_to_its_bound() -> None:
    """A bucket has the events that were not slower than its bound."""
    found = _series(scenario=replace(SCENARIO, buckets=(0.1, float("inf"))))
    name = "http_server_request_duration_seconds_bucket"

    assert 0 == _one(found, name, le="0.1", **FAILED).values[-1]
    assert 1 == _one(found, name, le="+Inf", **FAILED).values[-1]


def test_clock_that_is_behind_gives_old_samples_at_right_time() -> None:
    """A clock that is two minutes behind gives samples two minutes old, which come in time."""
    found = _one(_series(replace(PROCESS, clock_error=-120.0)))

    assert (-115_000, 120_000) == (found.times[0], found.delay)


def test_two_scrapers_have_series_of_their_own() -> None:
    """Two scrapers have two series, at different phases."""
    scrapers = ({"prometheus_replica": "a"}, {"prometheus_replica": "b"})
    found = _series(scenario=replace(SCENARIO, scrapers=scrapers))

    assert [5_000, 12_000] == [_one(found, prometheus_replica=name).times[0] for name in ("a", "b")]
