"""The cost of a scrape in otel_meta, the SDK's exporter and prometheus_client. ``make bench``.

Each library renders 1,000 series of a counter and 1,000 of a histogram with eleven buckets, 15,000
lines in all; OpenMetrics 2.0 says them in 2,000 lines. The libraries are timed in turn, so a noisy
machine affects all equally; the fastest round of each counts, in CPU time of the process.
Each series takes a value before each page.
"""

from __future__ import annotations

import gzip
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from timeit import Timer
from typing import Final, NamedTuple

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram as PrometheusHistogram

from otel_meta import Counter, Histogram, MetaRepo, labels
from otel_meta.runtime.prometheus.handler import ScrapeRequest
from otel_meta.runtime.prometheus.scrape import Scrape
from otel_meta.testing import capture

ROUNDS: Final = 15
SERIES: Final = 1000
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FORMATS: Final = {
    "text": "text/plain",
    "OpenMetrics 1.0": "application/openmetrics-text; version=1.0.0",
    "OpenMetrics 2.0": "application/openmetrics-text; version=2.0.0",
}

IDENTITY: Final = {"service.name": "bench", "service.namespace": "shop"}

GZIP: Final = b"\x1f\x8b"
"""The first bytes of a gzip file."""

Render = Callable[[], bytes]


class Library(NamedTuple):
    """How a library renders its page."""

    render: Render
    change: Callable[[], None]
    """Records one value into each series."""


@labels
class Query:
    """Two labels, as most metrics have."""

    operation: str
    table: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """The exposed metrics."""

    orders = Counter("shop.orders", "Orders.", Query, max_series=SERIES)
    duration = Histogram(
        "shop.query.duration", "Time of a query.", Query, unit="s", buckets=BUCKETS
    )


class Cost(NamedTuple):
    """The time of one library and the size of its page."""

    library: str
    milliseconds: float
    lines: int
    kilobytes: float


def ours() -> dict[str, Library]:
    """Return otel_meta with each format, plain and compressed."""
    with capture("bench", Shop) as captured:
        shop = captured.bind(Shop)
        scrape = captured.telemetry.scrape
    if scrape is None:
        raise AssertionError("there is nothing to scrape")
    requests = {
        f"otel_meta, {name}{', gzip' if coding else ''}": ScrapeRequest("", accept, coding)
        for coding in ("", "gzip")
        for name, accept in FORMATS.items()
    }

    def change() -> None:
        for given, value in _measurements():
            shop.orders.add(value, **given)
            shop.duration.record(value, **given)

    return {name: Library(_body(scrape, request), change) for name, request in requests.items()}


def _body(scrape: Scrape, request: ScrapeRequest) -> Render:
    return lambda: scrape.handle(request).body


def exporter() -> Library:
    """Return opentelemetry-exporter-prometheus, with the same labels."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(
        scope_info_enabled=False, resource_attribute_filter=IDENTITY.__contains__, registry=registry
    )
    meter = MeterProvider([reader], Resource(IDENTITY)).get_meter("bench")
    orders = meter.create_counter("shop.orders")
    duration = meter.create_histogram(
        "shop.query.duration", unit="s", explicit_bucket_boundaries_advisory=BUCKETS
    )

    def change() -> None:
        for given, value in _measurements():
            orders.add(value, given)
            duration.record(value, given)

    return Library(lambda: generate_latest(registry), change)


def client() -> Library:
    """Return prometheus_client."""
    registry = CollectorRegistry()
    names = ["operation", "table"]
    orders = PrometheusCounter("shop_orders", "Orders.", names, registry=registry)
    duration = PrometheusHistogram(
        "shop_query_duration_seconds", "Time of a query.", names, buckets=BUCKETS, registry=registry
    )

    def change() -> None:
        for given, value in _measurements():
            orders.labels(**given).inc(value)
            duration.labels(**given).observe(value)

    return Library(lambda: generate_latest(registry), change)


def measure(libraries: dict[str, Library]) -> list[Cost]:
    """Time the libraries in turn; the fastest round of each counts."""
    best = dict.fromkeys(libraries, float("inf"))
    for _ in range(ROUNDS):
        for name, library in libraries.items():
            library.change()
            timer = Timer(library.render, timer=time.process_time)
            best[name] = min(best[name], timer.timeit(1) * 1000)
    return [_cost(name, best[name], library.render()) for name, library in libraries.items()]


def main() -> None:
    """Print the table."""
    costs = measure(
        {
            **ours(),
            "opentelemetry-exporter-prometheus": exporter(),
            "prometheus_client": client(),
        }
    )
    packages = ("opentelemetry-exporter-prometheus", "prometheus-client")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()} on {platform.machine()}; {versions}\n")
    print("| a scrape | lines | size | CPU time | to the exporter | to prometheus_client |")
    print("|---|---|---|---|---|---|")
    by_name = {cost.library: cost.milliseconds for cost in costs}
    for cost in costs:
        to_exporter = cost.milliseconds / by_name["opentelemetry-exporter-prometheus"]
        to_client = cost.milliseconds / by_name["prometheus_client"]
        print(
            f"| {cost.library} | {cost.lines} | {cost.kilobytes:.0f} kB "
            f"| {cost.milliseconds:.2f} ms | {to_exporter:.3f} | {to_client:.3f} |"
        )


def _measurements() -> list[tuple[dict[str, str], float]]:
    return [({"operation": "select", "table": f"t{n}"}, n / 97) for n in range(SERIES)]


def _cost(library: str, milliseconds: float, body: bytes) -> Cost:
    page = gzip.decompress(body) if body.startswith(GZIP) else body
    lines = sum(not line.startswith(b"#") for line in page.splitlines())
    return Cost(library, milliseconds, lines, len(body) / 1000)


if __name__ == "__main__":
    main()
