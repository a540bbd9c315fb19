"""Metrics about otel_meta, declared like all metrics."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Counter, Gauge, Instrument, labels


@labels
class Fault:
    """A fault of telemetry, counted instead of raised."""

    source: str
    reason: str


@labels
class Metric:
    """A metric of this process."""

    metric: str
    """Name of the metric in Prometheus."""


@labels
class Missing:
    """Workers that are not on the page of a service."""

    reason: str


FAULTS: Final = Counter(
    "otel_meta.faults",
    "Faults in recording, exporting and logging, none of which reached the application.",
    Fault,
    unit="{fault}",
)

SERIES: Final = Gauge(
    "otel_meta.series",
    "Series that a metric has in a process.",
    Metric,
    unit="{series}",
)

SERIES_LIMIT: Final = Gauge(
    "otel_meta.series.limit",
    "Series that a metric may have in a process before the rest share one.",
    Metric,
    unit="{series}",
)

WORKERS_MISSING: Final = Gauge(
    "otel_meta.workers.missing",
    "Workers of a service whose numbers the page lacks, in part or all.",
    Missing,
    unit="{worker}",
)

OWN: Final[tuple[Instrument[...], ...]] = (FAULTS, SERIES, SERIES_LIMIT, WORKERS_MISSING)

UP_DESCRIPTION: Final = "1 for as long as the process exports its telemetry."
UP: Final = "otel_meta.up"
"""Gauge with the value 1 while the process exports: a dead process has no series."""
