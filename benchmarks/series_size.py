"""The size of a series in the memory and on the disk of a real Prometheus.

Services of all meta-repositories are scraped every second instead of every 15 seconds, because a
chunk is full after 120 samples at any interval. The difference of two fleet sizes excludes the
needs of Prometheus itself. ``python benchmarks/series_size.py``; ``--quick`` is a test run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scale.backend import Prometheus, machine, prometheus
from scale.fleet import services
from scale.table import DOCUMENT, put, table
from scale.targets import Target, served
from series_count import average

SERVICES: Final = 100
_DAYS: Final = 30
_SAMPLES: Final = _DAYS * 86_400 // 15
_LARGEST_DAYS: Final = 2.25
"""Days of the largest blocks in a Prometheus with a retention of 30 days."""
_KEPT: Final = 0.8

_FULL: Final = ((20, 150), (120, 150))
_QUICK: Final = ((2, 5), (4, 5))
"""Pairs of services and seconds of scraping."""
_SERIES: Final = "prometheus_tsdb_head_series"
_CONFIG: Final[dict[str, Any]] = {
    "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
}


@dataclass(frozen=True)
class Size:
    """A Prometheus after some scrapes.

    Attributes:
        series: number of series in the head.
        resident: maximal resident bytes in the last seconds.
        samples: number of samples in a snapshot of the head.
        chunks: bytes of the chunks in the snapshot.
        index: bytes of the index in the snapshot.
        log: bytes of the write-ahead log.
    """

    series: int
    resident: float
    samples: int
    chunks: int
    index: int
    log: int


def size_of(count: int, seconds: int, folder: Path) -> Size:
    """Scrape a number of services every second and return the size of Prometheus.

    Raises:
        RuntimeError: Prometheus missed many scrapes, so its chunks are too small.
    """
    targets = [Target(service) for service in services(count)]
    with served(targets) as port:
        config = json.dumps(_CONFIG | _jobs(port, count))
        with prometheus(folder, config, "--web.enable-admin-api") as server:
            time.sleep(seconds)
            resident = max(_resident(server))
            series = int(server.metrics()[_SERIES])
            samples, chunks, index = _block(server, folder)
            if samples < series * seconds * _KEPT:
                raise RuntimeError(f"{samples} samples of {series} series: scrapes were missed")
            return Size(series, resident, samples, chunks, index, _bytes(folder, "data/wal/*"))


def _jobs(port: int, count: int) -> dict[str, Any]:
    targets = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{n}", "instance": f"10.0.{n // 250}.{n % 250}:8000"},
        }
        for n in range(count)
    ]
    return {"scrape_configs": [{"job_name": "services", "static_configs": targets}]}


def _resident(server: Prometheus) -> Iterator[float]:
    for _ in range(20):
        yield server.metrics()["process_resident_memory_bytes"]
        time.sleep(0.5)


def _block(server: Prometheus, folder: Path) -> tuple[int, int, int]:
    """Return the samples, and the bytes of chunks and index, of a snapshot of the head."""
    name = server.api("admin/tsdb/snapshot", "POST")["name"]
    where = f"data/snapshots/{name}/*"
    metas = [json.loads(path.read_text()) for path in folder.glob(f"{where}/meta.json")]
    samples = sum(meta["stats"]["numSamples"] for meta in metas)
    return samples, _bytes(folder, f"{where}/chunks/*"), _bytes(folder, f"{where}/index")


def _bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def rows(small: Size, large: Size) -> Iterator[tuple[object, ...]]:
    """Yield the cost of one more series."""
    memory = (large.resident - small.resident) / (large.series - small.series)
    chunk, index = large.chunks / large.samples, large.index / large.series
    services = average(SERVICES)
    a_series = _SAMPLES * chunk + _DAYS / _LARGEST_DAYS * index
    yield "series in the smaller and the larger run", f"{small.series:,} and {large.series:,}"
    yield "memory, bytes a series", memory
    yield "chunks on disk, bytes a sample", chunk
    yield "index on disk, bytes a series and block", index
    yield "write-ahead log, bytes a sample", large.log / large.samples
    yield f"memory of {SERVICES} services, GB", services * memory / 1e9
    yield f"disk of {SERVICES} services for {_DAYS} days, GB", services * a_series / 1e9


def measure(count: int, seconds: int) -> Size:
    """Measure one fleet in a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        return size_of(count, seconds, Path(folder))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="Measure the size of a series in memory and on disk."
    )
    parser.add_argument("--quick", action="store_true", help="two tiny runs; no numbers to quote")
    parser.add_argument("--write", action="store_true", help="put the table into docs/scale.md")
    options = parser.parse_args()
    small, large = _QUICK if options.quick else _FULL
    text = table(("", machine()), rows(measure(*small), measure(*large)))
    print(text)
    if options.write:
        put(DOCUMENT, "series_size", text)


if __name__ == "__main__":
    main()
