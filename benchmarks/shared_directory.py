"""The shared directory of a service with 32 workers, at two numbers of series. ``make bench``.

Each worker has series of its own, so the page shows all of them. Times are CPU times of the process
that measures, except for the delay: the longest time for which another thread of this process,
which sleeps for a millisecond at a time, has to wait beyond it. A ratio above the ratio of the
numbers of series would mean that something is quadratic.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from otel_meta import Counter, Gauge, MetaRepo, labels
from otel_meta.testing import CapturedTelemetry, capture

WORKERS: Final = 32
SERIES: Final = (10_000, 100_000)
SHARE_OF_DEAD: Final = 2
"""One of so many workers is killed before the compaction."""
CALLS: Final = 100_000


@labels
class Query:
    """Two labels, as most metrics have."""

    operation: str
    table: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """The exposed metrics."""

    orders = Counter("shop.orders", "Orders.", Query, max_series=200_000)
    waiting = Gauge("shop.waiting", "Waiting.", Query)


def measure(series: int) -> Mapping[str, float]:
    """Return the cost of each step with this number of series in the directory."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder, ExitStack() as stack:
        environ = {"OTEL_META_MULTIPROCESS_DIR": str(Path(folder, "otel_meta"))}
        captured = stack.enter_context(capture("bench", environ=environ))
        children = [
            stack.enter_context(_worker(captured, number, series // WORKERS))
            for number in range(1, WORKERS)
        ]
        shop, rows = captured.bind(Shop), dict[str, float]()
        tables = [f"t{number}" for number in range(series // WORKERS)]
        create = _seconds(lambda: _record(shop, tables))
        rows["a new series, µs"] = create / len(tables) * 1e6
        add = _seconds(lambda: _add(shop, CALLS))
        rows["counter.add, 2 labels, µs"] = add / CALLS * 1e6
        rows["start of a worker, ms"] = 1e3 * _seconds(lambda: stack.enter_context(_start(environ)))
        before = _resident()
        rows["first scrape, ms"] = 1e3 * _seconds(lambda: _scrape(captured, series))
        rows["memory of the scraping worker, MB"] = _resident() - before
        rows["later scrape, ms"] = 1e3 * _seconds(lambda: _scrape(captured, series))
        rows["delay of another thread by a scrape, ms"] = _delay(lambda: _scrape(captured, series))
        for child in children[::SHARE_OF_DEAD]:
            _kill(child)
        began = time.process_time()
        rows["delay of another thread by a compaction, ms"] = _delay(
            lambda: _scrape(captured, series)
        )
        rows["scrape that compacts half of the workers, ms"] = 1e3 * (time.process_time() - began)
        rows["scrape after the compaction, ms"] = 1e3 * _seconds(lambda: _scrape(captured, series))
    return rows


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the place to measure


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _record(shop: Shop, tables: list[str], worker: int = 0) -> None:
    for table in tables:
        shop.orders.add(1, operation=f"worker {worker}", table=table)


def _add(shop: Shop, calls: int) -> None:
    add = shop.orders.add
    for _ in range(calls):
        add(1, operation="worker 0", table="t0")


@contextmanager
def _start(environ: Mapping[str, str]) -> Generator[None]:
    """Start telemetry as another worker does, and record once."""
    with capture("bench", environ=environ) as captured:
        captured.bind(Shop).waiting.set(1, operation="start", table="t")
        yield


def _scrape(captured: CapturedTelemetry, series: int) -> None:
    scrape = captured.telemetry.scrape
    if scrape is None:
        raise AssertionError("there is nothing to scrape")
    page, _ = scrape.render()
    if page.count(b"shop_orders_total{") < series // WORKERS * WORKERS:
        raise AssertionError("not every series is on the page")


def _delay(work: Callable[[], object]) -> float:
    """Return the longest delay of another thread during the work, in milliseconds."""
    done = threading.Event()
    delays: list[float] = []

    def sleep() -> None:
        while not done.is_set():
            began = time.perf_counter()
            time.sleep(0.001)
            delays.append(time.perf_counter() - began - 0.001)

    thread = threading.Thread(target=sleep)
    thread.start()
    work()
    done.set()
    thread.join()
    return max(delays) * 1e3


def _resident() -> float:
    """Return the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def _worker(captured: CapturedTelemetry, number: int, series: int) -> Generator[int]:
    """Fork a process that records its series, and stop it: only the measured process works."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _record(captured.bind(Shop), [f"t{index}" for index in range(series)], number)
        os.write(writing, b"x")
        signal.pause()
    os.read(reading, 1)
    os.kill(child, signal.SIGSTOP)
    os.close(reading)
    os.close(writing)
    try:
        yield child
    finally:
        _kill(child)


def _kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it was killed for the compaction


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=SERIES)
    series = parser.parse_args().series
    columns = [measure(number) for number in series]
    print(f"Python {platform.python_version()} on {platform.machine()}; {WORKERS} workers\n")
    head = ["", *(f"{number:,} series" for number in series), "ratio"]
    print(f"| {' | '.join(head)} |")
    print("|---" * len(head) + "|")
    for name in columns[0]:
        costs = [column[name] for column in columns]
        cells = [*(f"{cost:.3g}" for cost in costs), f"{costs[-1] / (costs[0] or 1):.2g}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
