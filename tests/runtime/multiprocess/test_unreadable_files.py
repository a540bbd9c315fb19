"""Files that cannot be read for a while: none is taken for absent, and no number is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.runtime.multiprocess.conftest import (
    OPEN,
    TILES,
    Spawn,
    Worker,
    spare_descriptors,
    worker_path,
)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Replace a file by a symbolic link to itself, which nobody can open."""
    kept = path.with_name("kept")
    path.rename(kept)
    path.symlink_to(path)
    yield
    kept.replace(path)


def spawn_with_totals(spawn: Spawn) -> Worker:
    """Start a worker that scrapes three tiles of a dead worker."""
    dead, worker = spawn(), spawn()
    dead.live(TILES).add(3, style="a")
    dead.die()
    worker.live(TILES)
    assert worker.scraped(TILES, style="a") == 3.0
    return worker


class TestTotals:
    def test_unreadable_totals_are_not_replaced(self, spawn: Spawn, directory: Path) -> None:
        """While the totals cannot be read, workers that end are not added to new totals."""
        worker, other = spawn_with_totals(spawn), spawn()
        other.live(TILES).add(10, style="a")
        with unreadable(directory / "totals"):
            other.die()
            during = worker.scraped(TILES, style="a")

        assert 3.0 == during
        assert 13.0 == worker.scraped(TILES, style="a")

    def test_new_worker_replaces_no_unreadable_totals(self, spawn: Spawn, directory: Path) -> None:
        """A worker that never read the totals does not replace them."""
        spawn_with_totals(spawn).die()
        worker = spawn()
        with unreadable(directory / "totals"):
            worker.live(TILES).add(10, style="a")
            worker.view.refresh()
        worker.die()

        last = spawn()
        last.live(TILES)
        assert 13.0 == last.scraped(TILES, style="a")

    def test_unreadable_totals_are_named_on_the_page(self, spawn: Spawn, directory: Path) -> None:
        """Totals that cannot be read are on the page, and a fault."""
        worker = spawn_with_totals(spawn)
        with unreadable(directory / "totals"):
            missing, faults = worker.missing(), worker.faults_by_reason()

        assert {"unreadable": 1.0} == missing
        assert faults["unreadable file"] >= 1
        assert {} == worker.missing()


class TestWorkerFile:
    def test_unreadable_worker_is_named_on_the_page(self, spawn: Spawn, directory: Path) -> None:
        """A living worker whose file cannot be read is on the page as missing."""
        other, worker = spawn(), spawn()
        other.live(TILES).add(1, style="a")
        with unreadable(worker_path(directory)):
            missing = worker.missing()

        assert {"unreadable": 1.0} == missing

    def test_unreadable_worker_keeps_what_was_read(self, spawn: Spawn, directory: Path) -> None:
        """The known series of a worker whose file cannot be read are shown, and are current."""
        other, worker = spawn(), spawn()
        other.live(TILES).add(1, style="a")
        worker.view.refresh()
        with unreadable(worker_path(directory)):
            other.live(TILES).add(1, style="a")
            worker.live(TILES)
            during = worker.scraped(TILES, style="a")

        assert 2.0 == during == worker.scraped(TILES, style="a")

    def test_own_unreadable_file_is_not_replaced(self, spawn: Spawn, directory: Path) -> None:
        """A worker that cannot find out whether its file was removed keeps it."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        path = worker_path(directory)
        with unreadable(path):
            worker.view.refresh()

        assert path == worker_path(directory)
        assert "replaced file" not in worker.faults_by_reason()

    def test_unreadable_dead_worker_counts_later(self, spawn: Spawn, directory: Path) -> None:
        """The file of a dead worker that cannot be read stays, and counts later."""
        dead, worker = spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        with unreadable(worker_path(directory)):
            dead.die()
            worker.view.refresh()
        worker.live(TILES)

        assert 3.0 == worker.scraped(TILES, style="a")

    def test_pipe_in_the_directory_stops_no_scan(self, spawn: Spawn, directory: Path) -> None:
        """A named pipe among the files of workers stops no scan."""
        worker = spawn()
        worker.live(TILES).add(2, style="a")
        os.mkfifo(directory / "1-0123456789abcdef.worker")

        assert 2.0 == worker.scraped(TILES, style="a")


class TestDescriptors:
    @pytest.mark.parametrize("count", range(6))
    def test_no_number_is_lost_without_descriptors(self, spawn: Spawn, count: int) -> None:
        """Scans with few or no file descriptors left lose no number of living or dead workers."""
        worker, living, dead = spawn_with_totals(spawn), spawn(), spawn()
        living.live(TILES).add(10, style="a")
        dead.live(TILES).add(100, style="a")
        worker.view.refresh()
        dead.die()
        with spare_descriptors(count):
            for _ in range(3):
                worker.view.refresh()
        living.live(TILES).add(1000, style="a")

        assert 1113.0 == worker.scraped(TILES, style="a")

    def test_page_names_failed_scan(self, spawn: Spawn) -> None:
        """Without file descriptors, the page shows the last scan, and that it does."""
        worker = spawn_with_totals(spawn)
        with spare_descriptors(0):
            missing, tiles = worker.missing(), worker.scraped(TILES, style="a")

        assert ({"scan": 1.0}, 3.0) == (missing, tiles)
        assert {} == worker.missing()

    def test_series_without_descriptors_moves_later(self, spawn: Spawn) -> None:
        """A worker whose file cannot be created shows its numbers once it can be."""
        worker, other = spawn(), spawn()
        with spare_descriptors(0):
            worker.live(TILES).add(1, style="a")
        worker.live(TILES).add(1, style="a")
        worker.allocator.settle()

        assert {("a",): 2.0} == other.scraped_series(TILES.name)

    def test_removed_private_series_is_not_missed(self, spawn: Spawn) -> None:
        """A worker that has removed its private series is complete."""
        worker = spawn()
        with spare_descriptors(0):
            worker.live(OPEN).add(1, style="a")
        worker.live(OPEN).remove(style="a")

        assert {} == worker.missing()


class TestVersion:
    def test_file_of_other_version_is_left_alone(self, spawn: Spawn, directory: Path) -> None:
        """A file of another version of the format is left alone, a fault, and on the page."""
        other, worker = spawn(), spawn()
        other.live(TILES).add(1, style="a")
        path = worker_path(directory)
        other.die()
        content = path.read_bytes()
        first_version = content[:8] + b"\1" + bytes(23) + content[32:]
        path.write_bytes(first_version)

        assert {"version": 1.0} == worker.missing()
        assert {"other version": 1.0} == worker.faults_by_reason()
        assert first_version == path.read_bytes()

    def test_totals_of_other_version_are_left_alone(self, spawn: Spawn, directory: Path) -> None:
        """Totals of another version are left alone, and the dead count from their files."""
        totals = b"otelmeta" + b"\1" + bytes(55)
        directory.mkdir()
        (directory / "totals").write_bytes(totals)
        dead, worker = spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        dead.die()
        worker.live(TILES).add(1, style="a")

        assert 4.0 == worker.scraped(TILES, style="a")
        assert {"version": 1.0} == worker.missing()
        assert totals == (directory / "totals").read_bytes()
