"""The latency of requests with and without concurrent scrapes.

A FastAPI application under uvicorn with 10,000 series (75,000 lines, because half are histograms)
serves requests over real sockets. Phases with a scrape every five seconds, with the headers of
Prometheus, alternate with phases without scrapes, so a noisy machine affects both equally. Run the
script with ``make bench``; ``--rounds`` sets its length and ``--every`` the scrape interval.
"""

from __future__ import annotations

import argparse
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import quantiles
from typing import Final

import uvicorn
from fastapi import FastAPI

from otel_meta import Counter, Histogram, MetaRepo, configure, instrument_fastapi, labels

HOST: Final = "127.0.0.1"
SERIES: Final = 5000
"""Series of the counter, and as many of the histogram."""
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PHASE: Final = 10.0
"""Seconds of a phase."""
CLIENTS: Final = 2
PAUSE: Final = 0.004
"""Seconds between two requests of a client, so that the application is busy but not overloaded."""
PROMETHEUS: Final = {
    "Accept": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Accept-Encoding": "gzip",
}


@labels
class Query:
    """Two labels, as most metrics have."""

    operation: str
    table: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """The exposed metrics."""

    orders = Counter("shop.orders", "Orders.", Query, max_series=2 * SERIES)
    duration = Histogram(
        "shop.query.duration",
        "Time of a query.",
        Query,
        unit="s",
        buckets=BUCKETS,
        max_series=2 * SERIES,
    )


def serve(port: int) -> None:
    """Run the application."""
    telemetry = configure("bench", Shop, metrics="prometheus", log_stream=None)
    shop = telemetry.bind(Shop)
    for number in range(SERIES):
        shop.orders.add(number, operation="select", table=f"t{number}")
        shop.duration.record(number / 97, operation="select", table=f"t{number}")
    app = FastAPI()

    @app.get("/orders/{order}")
    async def show(order: str) -> dict[str, str]:
        shop.orders.add(1, operation="show", table="t1")
        return {"order": order}

    instrument_fastapi(app, telemetry)
    uvicorn.run(app, host=HOST, port=port, log_level="error", access_log=False)


def scrape(port: int, every: float, stop: Event) -> None:
    """Scrape as Prometheus does, until the event is set."""
    while not stop.wait(every / 2):
        connection = HTTPConnection(HOST, port, timeout=30)
        connection.request("GET", "/metrics", headers=PROMETHEUS)
        connection.getresponse().read()
        connection.close()
        if stop.wait(every / 2):
            return


def load(port: int) -> list[float]:
    """Send requests during one phase and return the seconds of each."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return [seconds for each in pool.map(_send_requests, [port] * CLIENTS) for seconds in each]


def _send_requests(port: int) -> list[float]:
    connection = HTTPConnection(HOST, port, timeout=30)
    durations: list[float] = []
    end = time.perf_counter() + PHASE
    while time.perf_counter() < end:
        began = time.perf_counter()
        connection.request("GET", f"/orders/{len(durations)}")
        connection.getresponse().read()
        durations.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    connection.close()
    return durations


@contextmanager
def _scraped(port: int, every: float) -> Generator[None]:
    """Scrape from another process, so that the clients are not slowed down."""
    context = get_context("spawn")
    stop = context.Event()
    process = context.Process(target=scrape, args=(port, every, stop))
    process.start()
    time.sleep(1)  # until it has started
    try:
        yield
    finally:
        stop.set()
        process.join()


@contextmanager
def _application() -> Generator[int]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command: list[str | Path] = [sys.executable, Path(__file__), "--serve", str(port)]
    process = subprocess.Popen(command)  # noqa: S603  # this very script
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    while True:
        try:
            connection = HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/metrics")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=int, help="run the application on this port")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between scrapes")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    without: list[float] = []
    during: list[float] = []
    with _application() as port:
        load(port)  # to warm up
        for _ in range(given.rounds):
            without += load(port)
            with _scraped(port, given.every):
                during += load(port)
    _show(without, during)


def _show(without: list[float], during: list[float]) -> None:
    print(f"Python {platform.python_version()} on {platform.machine()}\n")
    print("| latency of a request | without scrapes | with scrapes | ratio |")
    print("|---|---|---|---|")
    for percent in (50, 95, 99, 99.9):
        calm, busy = (_percentile(each, percent) * 1000 for each in (without, during))
        print(f"| p{percent:g} | {calm:.2f} ms | {busy:.2f} ms | {busy / calm:.2f} |")
    print(f"\n{len(without)} and {len(during)} requests")


def _percentile(values: list[float], percent: float) -> float:
    return quantiles(values, n=1000, method="inclusive")[int(percent * 10) - 1]


if __name__ == "__main__":
    main()
