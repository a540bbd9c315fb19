"""Atlas: map tiles and routing, a meta-repository outside the package."""

from __future__ import annotations

import random
from typing import Literal

from otel_meta import (
    Alert,
    Counter,
    Duration,
    Gauge,
    Histogram,
    MetaRepo,
    Recording,
    Slo,
    configure,
    labels,
    measures,
)


@labels
class Tile:
    """A requested tile of a map."""

    layer: Literal["streets", "terrain", "satellite"]
    result: Literal["rendered", "cached", "failed"]


@labels
class Route:
    """A route between two places."""

    mode: Literal["car", "bicycle", "foot", "transit"]


@labels
class Region:
    """A region with its own map."""

    region: str


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles and routing."""

    tiles = Counter("map.tiles.served", "Tiles asked for, by result.", Tile, unit="{tile}")
    routes = Counter("map.routes.planned", "Routes planned.", Route, unit="{route}")
    route_duration = Histogram(
        "map.route.duration",
        "Time to plan a route.",
        Route,
        unit="s",
        buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    )
    map_age = Gauge("map.data.age", "Time since a region's map was updated.", Region, unit="s")

    tile_availability = Slo(
        "atlas-tile-availability",
        objective="99.9%",
        period="30d",
        sli=tiles.ratio(bad=tiles.where(result="failed")),
        why="A map with holes misleads drivers.",
    )
    route_latency = Slo(
        "atlas-route-latency",
        objective="95%",  # P95
        period="7d",
        sli=route_duration.within(0.5),
        why="Drivers have taken the wrong turn by then.",
    )

    route_latency_p95 = Recording(
        "mode:map_route_duration_seconds:p95_7d",
        measures.quantile(route_duration, "0.95", "7d", by=("mode",)),
        "P95 of the time to plan a route by mode, in seconds, over 7 days.",
    )

    tiles_failing = Alert(
        name="AtlasTilesFailing",
        measure=measures.increase(
            tiles.where(result="failed"), "15m", by=("service_name", "layer")
        ),
        above=100,
        for_=Duration("5m"),
        severity="ticket",
        summary="Tiles of a layer cannot be served.",
    )


def main() -> None:
    """Record simulated requests, and print the state of the SLOs."""
    with configure("tile-server", Atlas, prometheus_port=None) as telemetry:
        atlas = telemetry.bind(Atlas)
        for _ in range(1000):
            atlas.tiles.add(1, layer="streets", result="cached")
            atlas.route_duration.record(random.uniform(0, 0.4), mode="car")
        atlas.routes.add(1000, mode="car")
        atlas.map_age.set(3600, region="alps")
        for status in telemetry.tracker.statuses():
            print(f"{status.slo.name}: {status.state}")


if __name__ == "__main__":
    main()
