"""The cost of shared memory for several workers. ``make bench``.

The baselines are otel_meta without shared memory and the multiprocess mode of prometheus_client,
with one file per process as well. A scrape covers three workers with the same 15,000 lines each.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from timeit import Timer
from typing import Any, Final

_FOLDER: Final = tempfile.TemporaryDirectory()
_CLIENTS: Final = Path(_FOLDER.name, "prometheus_client")
_CLIENTS.mkdir()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_CLIENTS)  # read by prometheus_client at its import

from baselines import BUCKETS, CLIENT, LABELS, Flow, client_counter, client_histogram  # noqa: E402
from comparison import OURS, ROUNDS, Call, Row, microseconds, print_table  # noqa: E402
from prometheus_client import CollectorRegistry, generate_latest  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

from otel_meta import Counter, Histogram, MetaRepo, labels  # noqa: E402
from otel_meta.testing import CapturedTelemetry, capture  # noqa: E402

PRIVATE: Final = "otel_meta, numbers of its own"
WORKERS: Final = 3
SERIES: Final = 1000


@labels
class Query:
    """Two labels, as most metrics have."""

    operation: str
    table: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """The exposed metrics."""

    orders = Counter("shop.orders", "Orders.", Query)
    duration = Histogram(
        "shop.query.duration", "Time of a query.", Query, unit="s", buckets=BUCKETS
    )


def recording(flow: Flow, own: Flow) -> Row:
    """Compare additions to a counter with three labels."""
    client = client_counter()
    calls: dict[str, Call] = {
        OURS: lambda: flow.runs.add(1, dag="orders", task="load", state="success"),
        PRIVATE: lambda: own.runs.add(1, dag="orders", task="load", state="success"),
        CLIENT: lambda: client.labels(dag="orders", task="load", state="success").inc(),
    }
    return Row("counter.add, 3 labels", microseconds(calls), {PRIVATE: 1.2, CLIENT: 1 / 3})


def handle(flow: Flow, own: Flow) -> Row:
    """Compare additions through handles."""
    add, own_add = (
        f.runs.with_labels(dag="orders", task="load", state="failed").add for f in (flow, own)
    )
    child = client_counter().labels(**LABELS)
    calls: dict[str, Call] = {
        OURS: lambda: add(1),
        PRIVATE: lambda: own_add(1),
        CLIENT: child.inc,
    }
    return Row("counter.add by a handle", microseconds(calls), {PRIVATE: 1.2})


def histogram(flow: Flow, own: Flow) -> Row:
    """Compare recordings into a histogram with three labels."""
    client = client_histogram()
    calls: dict[str, Call] = {
        OURS: lambda: flow.duration.record(0.02, dag="orders", task="load", state="success"),
        PRIVATE: lambda: own.duration.record(0.02, dag="orders", task="load", state="success"),
        CLIENT: lambda: client.labels(dag="orders", task="load", state="success").observe(0.02),
    }
    return Row("histogram.record, 3 labels", microseconds(calls), {PRIVATE: 1.2, CLIENT: 1 / 3})


def new_series(flow: Flow, own: Flow) -> Row:
    """Compare the first recordings of new series."""
    numbers, client = count(), client_counter()
    names = [f"t{next(numbers)}" for _ in range(9000)]

    def first(add: Any, left: list[str]) -> None:
        add(1, dag="orders", task=left.pop(), state="success")

    def by_client(left: list[str]) -> None:
        client.labels(dag="orders", task=left.pop(), state="success").inc()

    calls = {
        OURS: partial(first, flow.runs.add, names.copy()),
        PRIVATE: partial(first, own.runs.add, names.copy()),
        CLIENT: partial(by_client, names.copy()),
    }
    costs = {name: Timer(call).timeit(2000) / 2000 * 1e6 for name, call in calls.items()}
    return Row("counter.add, a new series", costs, {})


def scraping(captured: CapturedTelemetry, alone: CapturedTelemetry) -> Row:
    """Compare scrapes of three workers; the middle column is one process without shared memory."""
    registry = CollectorRegistry()
    collector: Any = MultiProcessCollector  # an untyped function
    collector(registry, str(_CLIENTS))
    scrape, own = captured.telemetry.scrape, alone.telemetry.scrape
    if scrape is None or own is None:
        raise AssertionError("there is nothing to scrape")
    with ExitStack() as workers:
        for _ in range(WORKERS):
            workers.enter_context(_worker(captured))
        _record(alone.bind(Shop))
        timers = {
            OURS: Timer(scrape.render),
            PRIVATE: Timer(own.render),
            CLIENT: Timer(partial(generate_latest, registry)),
        }
        best = dict.fromkeys(timers, float("inf"))
        for _ in range(ROUNDS):
            for name, timer in timers.items():
                best[name] = min(best[name], timer.timeit(1) * 1e3)
        pages = scrape.render()[0], generate_latest(registry)
    for page, sample in zip(
        pages, (b"shop_orders_total{", b"duration_seconds_bucket{"), strict=True
    ):
        if page.count(sample) < SERIES:
            raise AssertionError("not every series is on the page")
    return Row("scrape of 3 workers, 15,000 lines", best, {CLIENT: 1 / 10}, "ms")


@contextmanager
def _worker(captured: CapturedTelemetry) -> Generator[None]:
    """Fork a process that records every series and waits."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _record(captured.bind(Shop))
        _record_by_client()
        os.write(writing, b"x")
        signal.pause()
    os.read(reading, 1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _record(shop: Shop) -> None:
    for number in range(SERIES):
        shop.orders.add(number / 97, operation="select", table=f"t{number}")
        shop.duration.record(number / 97, operation="select", table=f"t{number}")


def _record_by_client() -> None:
    from prometheus_client import Counter as ClientCounter  # noqa: PLC0415
    from prometheus_client import Histogram as ClientHistogram  # noqa: PLC0415

    names, registry = ["operation", "table"], CollectorRegistry()
    orders = ClientCounter("shop_orders", "Orders.", names, registry=registry)
    duration = ClientHistogram(
        "shop_query_duration_seconds", "Time of a query.", names, buckets=BUCKETS, registry=registry
    )
    for number in range(SERIES):
        orders.labels(operation="select", table=f"t{number}").inc(number / 97)
        duration.labels(operation="select", table=f"t{number}").observe(number / 97)


def main() -> None:
    """Print the table."""
    environ = {"OTEL_META_MULTIPROCESS_DIR": str(Path(_FOLDER.name, "otel_meta"))}
    with capture("bench", environ=environ) as captured, capture("bench") as alone:
        flows = captured.bind(Flow), alone.bind(Flow)
        rows = [recording(*flows), handle(*flows), histogram(*flows), new_series(*flows)]
    environ = {"OTEL_META_MULTIPROCESS_DIR": str(Path(_FOLDER.name, "scrape"))}
    for file in _CLIENTS.iterdir():
        file.unlink()
    with capture("bench", environ=environ) as captured, capture("bench") as alone:
        rows.append(scraping(captured, alone))
    print_table(rows, (PRIVATE, CLIENT))


if __name__ == "__main__":
    main()
