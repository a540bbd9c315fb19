"""Checked by mypy and pyright, never run: what a service developer may and may not record.

A line marked with an ignore must fail: `warn_unused_ignores` (mypy) and
`reportUnnecessaryTypeIgnoreComment` (pyright) turn one that starts to pass into an error.
"""

from __future__ import annotations

from typing import Literal

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, UpDownCounter, labels


@labels
class Request:
    endpoint: str
    method: Literal["GET", "POST"]
    tenant: str = ""


class Atlas(MetaRepo, name="atlas", owner="maps"):
    """Maps."""

    requests = Counter("atlas.requests", "Requests.", Request)
    latency = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 1))
    depth = UpDownCounter("atlas.depth", "Depth.", NoLabels)
    speed = Gauge("atlas.speed", "Speed.", NoLabels)


def right(atlas: Atlas) -> None:
    """What passes."""
    atlas.requests.add(1, endpoint="/tiles", method="GET")
    atlas.requests.add(1.5, endpoint="/tiles", method="POST", tenant="a")
    atlas.latency.record(0.25, endpoint="/tiles", method="GET")
    atlas.depth.add(-1)
    atlas.speed.set(3)
    Atlas.requests.where(method="GET")


def wrong(atlas: Atlas) -> None:
    """What must not."""
    atlas.requests.add(1, endpoint="/tiles")  # type: ignore[call-arg]  # a label is missing
    atlas.requests.add(1, endpoint="/tiles", methd="GET")  # type: ignore[call-arg]  # misspelt
    atlas.requests.add(1, endpoint="/tiles", method="get")  # type: ignore[arg-type]  # not in the set
    atlas.requests.add(1, endpoint=7, method="GET")  # type: ignore[arg-type]  # not a string
    atlas.requests.add(1, "/tiles", "GET")  # type: ignore[call-arg]  # labels have names
    atlas.requests.add("1", endpoint="/tiles", method="GET")  # type: ignore[arg-type]  # a string
    atlas.requests.set(1, endpoint="/tiles", method="GET")  # type: ignore[attr-defined]  # counters count
    atlas.latency.add(1, endpoint="/tiles", method="GET")  # type: ignore[attr-defined]  # it records
    atlas.speed.set(3, endpoint="/tiles")  # type: ignore[call-arg]  # it has no labels
    Atlas.requests.add(1, endpoint="/tiles", method="GET")  # type: ignore[attr-defined]  # not bound
