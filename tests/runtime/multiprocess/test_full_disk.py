"""Workers on a disk that is really full: a small file system in memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.runtime.multiprocess.conftest import TILES, Spawn, Worker

PROGRAM = '''
import os
from pathlib import Path
from otel_meta import Counter, MetaRepo, configure, labels

disk = Path(os.environ["OTEL_META_MULTIPROCESS_DIR"]).parent

@labels
class Tile:
    style: str

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""
    tiles = Counter("atlas.tiles", "Tiles.", Tile, max_series=9000)

def fill():
    with open(disk / "ballast", "ab", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass

def page(start):
    lines = telemetry.scrape.render()[0].decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(start))
'''


@dataclass
class Disk:
    """A file system of one megabyte."""

    path: Path

    def fill(self) -> None:
        """Leave no free block."""
        with suppress(OSError), (self.path / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        """Make the disk as empty as before `fill`."""
        (self.path / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a file system of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, check=False, text=True)
    if mounted.returncode and not os.environ.get("CI"):
        pytest.skip(f"this user may not mount a file system: {mounted.stderr}")
    assert 0 == mounted.returncode, mounted.stderr
    yield Disk(path)
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def directory(disk: Disk) -> Path:
    """The directory shared by the workers, on the small disk."""
    return disk.path / "numbers"


class TestSpaceAgain:
    def test_full_before_first_series(self, disk: Disk, spawn: Spawn) -> None:
        """Numbers from before the first file are shown once the disk has space."""
        worker, other = spawn(), spawn()
        disk.fill()
        worker.live(TILES).add(100, style="a")
        before = worker.scraped_series(TILES.name)
        disk.free()
        worker.live(TILES).add(10, style="a")
        worker.allocator.settle()

        assert {} == before
        assert {("a",): 110.0} == other.scraped_series(TILES.name)

    def test_full_at_start(self, disk: Disk, spawn: Spawn) -> None:
        """A worker starts on a full disk, and its numbers are shown once the disk has space."""
        disk.path.joinpath("numbers").mkdir()
        disk.fill()
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        disk.free()

        assert {("a",): 1.0} == worker.scraped_series(TILES.name)

    def test_filled_while_series_are_added(self, disk: Disk, spawn: Spawn) -> None:
        """Series added on a full disk are shown, with all recordings, once it has space."""
        worker, other = spawn(max_series=9000), spawn()
        worker.live(TILES).add(1, style="first")
        disk.fill()
        for number in range(3000):
            worker.live(TILES).add(1, style=str(number))
        shown = sum(worker.scraped_series(TILES.name).values())
        disk.free()
        for number in range(3000):
            worker.live(TILES).add(1, style=str(number))
        worker.allocator.settle()

        assert 1 < shown < 2000
        assert 6001.0 == sum(other.scraped_series(TILES.name).values())

    def test_dead_are_compacted(self, disk: Disk, spawn: Spawn, directory: Path) -> None:
        """The dead count from their files on a full disk, and are compacted later."""
        dead, worker = spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        worker.live(TILES).add(1, style="a")
        disk.fill()
        dead.die()
        on_full_disk = worker.scraped(TILES, style="a")
        fault = worker.faults_by_reason()["compaction"]
        disk.free()

        assert 4.0 == on_full_disk == worker.scraped(TILES, style="a")
        assert fault >= 1
        assert 1 == len(list(directory.glob("*.worker")))

    def test_totals_are_shown_by_worker_without_file(self, disk: Disk, spawn: Spawn) -> None:
        """A worker that cannot write its file shows the totals of the dead."""
        dead = spawn()
        dead.live(TILES).add(3, style="a")
        dead.die()
        disk.fill()
        worker = spawn()
        worker.live(TILES)

        assert {("a",): 3.0} == worker.scraped_series(TILES.name)


class TestNamed:
    def test_worker_with_private_numbers_is_counted(self, disk: Disk, spawn: Spawn) -> None:
        """A worker with private numbers is counted as missing, by itself and by others."""
        worker, other = spawn(), spawn()
        disk.fill()
        worker.live(TILES).add(1, style="a")
        found = worker.missing(), other.missing()
        disk.free()
        for each in (worker, other):  # the other has a private series of faults by now
            each.allocator.settle()

        assert ({"private": 1.0}, {"private": 1.0}) == found
        assert ({}, {}) == (worker.missing(), other.missing())

    def test_lost_numbers_are_a_fault(self, disk: Disk, spawn: Spawn) -> None:
        """A worker that ended with private numbers is a fault, once."""
        worker, other = spawn(), spawn()
        other.live(TILES).add(1, style="a")
        disk.fill()
        worker.live(TILES).add(1, style="a")
        worker.die()
        faults = [other.faults_by_reason().get("lost numbers") for _ in range(2)]

        assert [1.0, 1.0] == faults

    def test_fault_series_use_the_reserve(self, disk: Disk, spawn: Spawn) -> None:
        """Faults of the full disk are on the page while the disk is full."""
        worker = spawn(max_series=9000)
        worker.live(TILES).add(1, style="a")
        disk.fill()
        for number in range(3000):
            worker.live(TILES).add(1, style=str(number))

        assert allocation_faults(worker) > 1000


def allocation_faults(worker: Worker) -> float:
    """Scrape the number of failed allocations of TILES."""
    value: float = worker.scraped_series("otel_meta.faults")["atlas_tiles_total", "allocation"]
    return value


class TestProcess:
    def test_process_survives_full_disk(self, disk: Disk, script: Callable[..., Run]) -> None:
        """A process whose disk fills up between two series is not ended by a signal."""
        run = script(
            PROGRAM + "telemetry = configure('maps', Atlas, log_stream=None)\n"
            "atlas = telemetry.bind(Atlas)\n"
            "atlas.tiles.add(1, style='first')\n"
            "fill()\n"
            "for number in range(4000): atlas.tiles.add(1, style=str(number))\n"
            "full = page('atlas_tiles_total{')\n"
            "(disk / 'ballast').unlink()\n"
            "print(full < 4001, page('atlas_tiles_total{'))\n",
            OTEL_META_MULTIPROCESS_DIR=str(disk.path / "numbers"),
        )

        assert (0, "True 4001.0\n") == (run.code, run.stdout)
        assert ["atlas_tiles_total: [Errno 28] No space left on device (allocation)"] == [
            line.partition(";")[0] for line in run.stderr.splitlines()
        ]
