"""A real Prometheus with the recordings of an SLO over its whole period, up to the present."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, repeat
from pathlib import Path
from typing import Final

from tests.rules import prometheus_server

SLO: Final = "titan-service-availability"
PER_MINUTE: Final = 60
"""Events of each minute."""
OUTAGE: Final = range(-10 * 1440, -10 * 1440 + 30)
"""Minutes from the present in which every event is bad."""
BAD: Final = len(OUTAGE) * PER_MINUTE
TOTAL: Final = 30 * 1440 * PER_MINUTE
_LONGEST: Final = 3 * 1440
"""Minutes of the longest window."""
_LABELS: Final = f'slo="{SLO}",service_namespace="titan-microservices-mesh",service_name="payments"'
_BEYOND: Final = 10
"""Minutes after the present, in which tests run."""
_NOW: Final = {
    "slo:period_coverage:ratio": 1.0,
    "slo:compliant:bool": 1.0,
    "slo:error_ratio:5m": 0.0,
    "slo:error_ratio:1h": 0.0,
}


@contextmanager
def recorded_slo(folder: Path) -> Iterator[str]:
    """Run the server, and yield its URL."""
    (folder / "data").mkdir()
    (folder / "samples").write_text("".join(_samples(int(time.time()) // 60)))
    prometheus_server.backfill(folder / "samples", folder / "data")
    with prometheus_server.prometheus(folder) as server:
        yield server.url


def _samples(last: int) -> Iterator[str]:
    """Yield the lines of OpenMetrics up to a minute since 1970, and some minutes beyond."""
    minutes = range(last - 30 * 1440 - _LONGEST - 5, last + _BEYOND)
    events = [PER_MINUTE * (minute - last in OUTAGE) for minute in minutes]
    counts = {
        "slo:bad:cumulative": accumulate(events),
        "slo:total:cumulative": range(0, PER_MINUTE * len(minutes), PER_MINUTE),
        **{name: repeat(value) for name, value in _NOW.items()},
    }
    for name, values in counts.items():
        for minute, value in zip(minutes, values, strict=False):
            yield f"{name}{{{_LABELS}}} {value} {minute * 60}\n"
    yield "# EOF\n"
