"""An earlier history of a service's events, as the recorded layer of an SLO has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from otel_meta.render.rules.series_names import BAD_CUMULATIVE, TOTAL_CUMULATIVE
from tests.backends.clusters.cluster_services import FAILING, NAMESPACE, SERVICE
from tests.rules import prometheus_server as servers

SLO = "titan-service-availability"
EARLIER = {TOTAL_CUMULATIVE: 10_000_000, BAD_CUMULATIVE: 1_000}
"""The events of the failing cluster before the test, by the name of the series."""
_AGE, _UNTIL, _STEP = 50 * 60, 60, 60
"""The first and last sample before the present, and the time between samples, in seconds."""


def backfill_history(folder: Path) -> None:
    """Write the history to the data folder of a server that has not started yet."""
    folder.mkdir()
    text = folder / "history.om"
    text.write_text("".join(_lines(int(time.time()))) + "# EOF\n")
    servers.backfill(text, folder / "data")


def _lines(now: int) -> Iterator[str]:
    labels = f'service_namespace="{NAMESPACE}",service_name="{SERVICE}",cluster="{FAILING}"'
    for name, events in EARLIER.items():
        for at in range(now - _AGE, now - _UNTIL, _STEP):
            yield f'{name}{{{labels},slo="{SLO}"}} {events} {at}\n'
