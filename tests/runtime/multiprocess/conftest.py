"""Workers of one service; to the kernel's locks, several in a process are as several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.runtime.multiprocess.workers import Workers
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Tile:
    """Labels of a tile."""

    style: str


TILES = Counter("atlas.tiles", "Tiles.", Tile)
OPEN = UpDownCounter("atlas.open", "Tiles that are open.", Tile)
ZOOM = Gauge("atlas.zoom", "Zoom.", Tile)
DURATION = Histogram("atlas.duration", "Duration.", Tile, unit="s", buckets=(0.1, 1, 5))


class Worker:
    """A worker, which may die."""

    def __init__(self, path: Path, service: str = "maps", max_series: int = 2000) -> None:
        self.shared = Workers(path, service, "atlas-maps", max_series)
        self.faults = Faults(self.shared.slots)
        self.storage = MetricStorage(self.faults, self.shared.slots, max_series=max_series)
        self.view = self.shared.view(self.storage.families, self.faults.report)

    def of(self, instrument: Any) -> Any:
        """The live half of an instrument."""
        return self.storage.recorder(instrument)

    def die(self) -> None:
        """Let go of the lock, as the kernel does for whoever dies."""
        self.shared.slots.close()

    def shows(self, instrument: Any, **wanted: str) -> Any:
        """What the series with these labels shows for the whole service; None if there is none."""
        return self.all(instrument.name).get(tuple(wanted.values()))

    def all(self, name: str) -> dict[tuple[str, ...], Any]:
        """What every series of a metric shows."""
        return {
            cell.labels: cell.snapshot() if hasattr(cell, "snapshot") else cell.value
            for family in self.view.families()
            if family.instrument.name == name
            for cell in family.cells()
        }

    def reasons(self) -> dict[str, float]:
        """Faults of the directory, by reason."""
        self.view.refresh()
        cells = self.faults.family.cells()
        return {c.labels[1]: c.value for c in cells if c.labels[0] == "workers"}


Hiring = Callable[..., Worker]


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """The directory that workers share."""
    return tmp_path / "numbers"


@pytest.fixture
def hire(numbers: Path) -> Iterator[Hiring]:
    """Start a worker."""
    hired: list[Worker] = []

    def start(**options: Any) -> Worker:
        hired.append(Worker(numbers, **options))
        return hired[-1]

    yield start
    for worker in hired:
        worker.die()


def files(path: Path) -> list[str]:
    """What is in a directory, folders aside."""
    return sorted(file.name for file in path.iterdir() if file.is_file())
