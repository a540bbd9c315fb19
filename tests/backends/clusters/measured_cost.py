"""CPU and memory of each server of two clusters, for the tables of docs/scale.md.

``python -m tests.backends.clusters.measured_cost`` takes three minutes. A second has one scrape of
each service and one evaluation of each rule of one SLO, as a minute has in production.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean

from otel_meta.testing.servers import Backend
from tests.backends.clusters import thanos_servers, victoria_servers

SECONDS = 30
"""Seconds of a measurement, after as many seconds to settle."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

Servers = Mapping[str, list[Backend]]
"""The servers of each kind."""


def cpu(server: Backend) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(server: Backend) -> float:
    """Return the resident megabytes of a process, with mapped files."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * _PAGE / 1e6


def rows(title: str, servers: Servers) -> Iterator[str]:
    """Yield a row for each kind of server: milliseconds of CPU an evaluation, and memory."""
    time.sleep(SECONDS)
    before = {kind: [cpu(one) for one in some] for kind, some in servers.items()}
    time.sleep(SECONDS)
    for kind, some in servers.items():
        spent = fmean(cpu(one) - old for one, old in zip(some, before[kind], strict=True))
        megabytes = fmean(map(memory, some))
        yield f"| {title} | {len(some)} {kind} | {1000 * spent / SECONDS:.0f} | {megabytes:.0f} |"


def measured() -> Iterator[str]:
    """Yield the rows of all arrangements."""
    yield "| rules in | servers | CPU, ms an evaluation and server | memory, MB |"
    yield "| --- | --- | --: | --: |"
    for title, central in (("Prometheus", False), ("Thanos' rulers", True)):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            running = stack.enter_context(
                thanos_servers.fleet(folder, central_rules=central, one_slo=True)
            )
            yield from rows(title, running.servers())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = stack.enter_context(victoria_servers.fleet(folder, one_slo=True))
        vmalert = [*fleet.rulers.values()]
        yield from rows("vmalert", {"VictoriaMetrics": [fleet.store], "vmalert": vmalert})


if __name__ == "__main__":
    for line in measured():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
