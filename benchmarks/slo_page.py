"""CPU time to render the page of SLOs: ``python benchmarks/slo_page.py [NUMBER]``."""

from __future__ import annotations

import sys
from statistics import median
from time import process_time

from otel_meta.model import Duration
from otel_meta.repos import Aurora
from otel_meta.status.events import Events
from otel_meta.status.page.html_page import render_page
from otel_meta.status.page.page_context import PageContext
from otel_meta.status.slo_links import LinkBases, with_links
from otel_meta.status.status import Burn, BurnDownPoint, Status
from otel_meta.status.status_json import StatusJson, status_json

NUMBER = 200
ROUNDS = 20
POINTS = 120
"""The most points of a burn-down."""
BASES = LinkBases(
    runbooks="https://books.example",
    dashboards="https://grafana.example/d",
    traces="https://traces.example/?service={service}&from={from}&to={to}",
    logs="https://logs.example/?slo={slo}&from={from}&to={to}",
)


def rows(number: int) -> list[StatusJson]:
    """Return the statuses of as many services."""
    slo = Aurora.api_availability
    period = slo.period.seconds
    down = [BurnDownPoint(period * (1 - i / POINTS), 1 - i / 200) for i in range(POINTS + 1)]
    statuses = [
        Status(
            slo=slo,
            repo=f"repository-{index % 8}",
            owner="us",
            service={"service_name": f"service-{index}", "cluster": "eu-1"},
            events=Events(index, 1_000_000),
            burns={span: Burn(1.5, 10) for span in (Duration("1h"), *slo.burn_lookbacks())},
            covered=period,
            burn_down=tuple(down),
        )
        for index in range(number)
    ]
    return with_links(map(status_json, statuses), BASES, 0.0)


def main(number: int) -> None:
    """Print the median CPU time, which other programs do not change, and the size of a page."""
    statuses = rows(number)
    surroundings = PageContext(title="SLOs")
    seconds: list[float] = []
    for _ in range(ROUNDS):
        start = process_time()
        render_page(statuses, surroundings)
        seconds.append(process_time() - start)
    size = len(render_page(statuses, surroundings).encode())
    print(f"{number} SLOs: {1000 * median(seconds):.0f} ms, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else NUMBER)
