"""Workers of one service in one process: the kernel's locks tell them apart like processes."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.model.kind_traits import Kind
from otel_meta.runtime.multiprocess.workers import Workers
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Tile:
    """Labels of a tile."""

    style: str


FORKS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"  # of Python 3.12 and later
)

TILES = Counter("atlas.tiles", "Tiles.", Tile)
OPEN = UpDownCounter("atlas.open", "Tiles that are open.", Tile)
ZOOM = Gauge("atlas.zoom", "Zoom.", Tile)
DURATION = Histogram("atlas.duration", "Duration.", Tile, unit="s", buckets=(0.1, 1, 5))


class Worker:
    """A worker with instruments of its own."""

    def __init__(self, path: Path, service: str = "maps", max_series: int = 2000) -> None:
        self.workers = Workers(path, service, "atlas-maps", max_series)
        self.allocator = self.workers.allocator
        self.faults = Faults(self.allocator)
        self.storage = MetricStorage(self.faults, self.allocator, max_series=max_series)
        self.view = self.workers.view(self.storage.families, self.faults.report)

    def live(self, instrument: Any) -> Any:
        """Return the live instrument of a declaration."""
        return self.storage.recorder(instrument)

    def die(self) -> None:
        """Release the lock of the worker's file, as the kernel does at the end of a process."""
        self.allocator.close()

    def shared(self, instrument: Any) -> dict[tuple[str, ...], float]:
        """Return the values of a metric's series that are in the file of this process."""
        cells = self.storage.family(instrument).cells()
        return {c.labels: c.value for c in cells if isinstance(c.numbers, memoryview)}

    def missing(self) -> dict[str, float]:
        """Scrape the numbers of missing workers by reason, without zeros."""
        found = self.scraped_series("otel_meta.workers.missing")
        return {reason: number for (reason,), number in found.items() if number}

    def scraped(self, instrument: Any, **labels: str) -> Any:
        """Scrape the value of one series of the service; None if there is no such series."""
        return self.scraped_series(instrument.name).get(tuple(labels.values()))

    def scraped_series(self, name: str) -> dict[tuple[str, ...], Any]:
        """Scrape the values of a metric's series, by label values."""
        return {
            cell.labels: cell.snapshot() if hasattr(cell, "snapshot") else cell.value
            for family in self.view.families()
            if family.instrument.name == name
            for cell in family.cells()
        }

    def faults_by_reason(self) -> dict[str, float]:
        """Scan the directory, and return the counts of its faults by reason."""
        self.view.refresh()
        cells = self.faults.family.cells()
        return {c.labels[1]: c.value for c in cells if c.labels[0] == "workers"}


class Spawn(Protocol):
    """Starts a worker in the shared directory."""

    def __call__(self, *, service: str = "maps", max_series: int = 2000) -> Worker:
        """Start a worker."""
        ...


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory shared by the workers."""
    return tmp_path / "numbers"


@pytest.fixture
def spawn(directory: Path) -> Iterator[Spawn]:
    """Start workers, and end them after the test."""
    workers: list[Worker] = []

    def start(*, service: str = "maps", max_series: int = 2000) -> Worker:
        workers.append(Worker(directory, service, max_series))
        return workers[-1]

    yield start
    for worker in workers:
        worker.die()


def worker_path(directory: Path) -> Path:
    """Return the path of the only worker file."""
    (path,) = directory.glob("*.worker")
    return path


def place(worker: Worker, instrument: Any, labels: tuple[str, ...]) -> Any:
    """Place a series without a live instrument, and return its cell."""
    kind_name: Kind = instrument.kind
    kind = INSTRUMENT_KINDS[kind_name]
    cell: Any = kind.cell(labels, bounds=instrument.buckets)
    cell.numbers = worker.allocator.zeros(len(cell.numbers))
    worker.allocator.place(instrument, cell)
    return cell


def files(path: Path) -> list[str]:
    """Return the names of the files in a directory, without subdirectories."""
    return sorted(file.name for file in path.iterdir() if file.is_file())


@contextmanager
def spare_descriptors(count: int) -> Iterator[None]:
    """Limit this process to a number of further file descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
