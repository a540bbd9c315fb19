"""Checked by mypy and pyright, never run: valid and invalid recordings of a service.

A line marked with an ignore must fail: `warn_unused_ignores` (mypy) and
`reportUnnecessaryTypeIgnoreComment` (pyright) turn one that starts to pass into an error.
"""

from __future__ import annotations

from typing import Literal, assert_type

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, UpDownCounter, labels
from otel_meta.model.live import LiveCounter


@labels
class Request:
    path: str
    method: Literal["GET", "POST"]
    tenant: str = ""


class Atlas(MetaRepo, name="atlas", owner="maps"):
    """Maps."""

    requests = Counter("atlas.requests", "Requests.", Request)
    latency = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 1))
    requests_in_all = Counter("atlas.all_requests", "Requests.", NoLabels)
    depth = UpDownCounter("atlas.depth", "Depth.", NoLabels)
    speed = Gauge("atlas.speed", "Speed.", NoLabels)


def right(atlas: Atlas) -> None:
    """Valid recordings."""
    atlas.requests.add(1, path="/tiles", method="GET")
    atlas.requests.add(1.5, path="/tiles", method="POST", tenant="a")
    atlas.latency.record(0.25, path="/tiles", method="GET")
    atlas.depth.add(-1)
    atlas.speed.set(3)
    Atlas.requests.where(method="GET")


def right_handles(atlas: Atlas) -> None:
    """Valid uses of handles, timers and removal."""
    gets = atlas.requests.with_labels(path="/tiles", method="GET")
    gets.add(1)
    gets.with_labels().add(1)
    tally(gets)
    atlas.depth.with_labels().add(-1)
    tally(atlas.requests_in_all)
    atlas.speed.with_labels().set(1.5)
    atlas.latency.with_labels(path="/tiles", method="GET").record(0.1)
    atlas.requests.remove(path="/tiles", method="GET")
    gets.remove()
    with atlas.latency.time(path="/tiles", method="GET") as timing:
        timing.labels(path="/tiles", method="GET", tenant="a")
    with atlas.latency.with_labels(path="/tiles", method="GET").time():
        pass


def tally(counter: LiveCounter[[]]) -> None:
    """Take a handle, or a counter without labels."""
    counter.add(1)


async def right_decorators(atlas: Atlas) -> None:
    """A decorated function keeps its signature."""

    @atlas.latency.time(path="/tiles", method="GET")
    def draw(zoom: int) -> str:
        return "#" * zoom

    @atlas.latency.time(path="/tiles", method="GET")
    async def fetch(zoom: int) -> bytes:
        return b"#" * zoom

    assert_type(draw(1), str)
    assert_type(await fetch(1), bytes)
    draw("1")  # type: ignore[arg-type]  # a zoom is a number


def wrong_handles(atlas: Atlas) -> None:
    """Invalid recordings."""
    atlas.requests.with_labels(path="/tiles")  # type: ignore[call-arg]  # a label is missing
    atlas.requests.with_labels(path="/tiles", method="get")  # type: ignore[arg-type]  # not in the set
    gets = atlas.requests.with_labels(path="/tiles", method="GET")
    gets.add(1, path="/tiles")  # type: ignore[call-arg]  # its labels are settled
    gets.set(1)  # type: ignore[attr-defined]  # counters count
    gets.time()  # type: ignore[attr-defined]  # and are no durations
    tally(atlas.requests)  # type: ignore[arg-type]  # it has labels
    atlas.requests.remove(methd="GET")  # type: ignore[call-arg]  # misspelt
    atlas.latency.time(path="/tiles")  # type: ignore[call-arg]  # a label is missing
    atlas.requests.time(path="/tiles", method="GET")  # type: ignore[attr-defined]  # it counts
    with atlas.latency.time(path="/tiles", method="GET") as timing:
        timing.labels(path="/tiles")  # type: ignore[call-arg]  # a label is missing


def wrong(atlas: Atlas) -> None:
    """Invalid uses of handles, timers and removal."""
    atlas.requests.add(1, path="/tiles")  # type: ignore[call-arg]  # a label is missing
    atlas.requests.add(1, path="/tiles", methd="GET")  # type: ignore[call-arg]  # misspelt
    atlas.requests.add(1, path="/tiles", method="get")  # type: ignore[arg-type]  # not in the set
    atlas.requests.add(1, path=7, method="GET")  # type: ignore[arg-type]  # not a string
    atlas.requests.add(1, "/tiles", "GET")  # type: ignore[call-arg]  # labels have names
    atlas.requests.add("1", path="/tiles", method="GET")  # type: ignore[arg-type]  # a string
    atlas.requests.set(1, path="/tiles", method="GET")  # type: ignore[attr-defined]  # counters count
    atlas.latency.add(1, path="/tiles", method="GET")  # type: ignore[attr-defined]  # it records
    atlas.speed.set(3, path="/tiles")  # type: ignore[call-arg]  # it has no labels
    Atlas.requests.add(1, path="/tiles", method="GET")  # type: ignore[attr-defined]  # not bound
