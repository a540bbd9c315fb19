"""Files and directories that are removed or replaced under a running service."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.runtime.multiprocess.conftest import DURATION, OPEN, TILES, ZOOM, Spawn, Worker
from tests.waiting import wait_until


def remove_files(directory: Path) -> None:
    """Remove all files."""
    for path in directory.iterdir():
        path.unlink()


def make_anew(directory: Path) -> None:
    """Remove the directory, and create an empty one."""
    shutil.rmtree(directory)
    directory.mkdir()


def move_away(directory: Path) -> None:
    """Move the directory, and create an empty one."""
    directory.rename(directory.with_name("moved"))
    directory.mkdir()


def remove_worker_files(directory: Path) -> None:
    """Remove the files of the workers, and leave the totals."""
    for path in directory.glob("*.worker"):
        path.unlink()


REPLACEMENTS = pytest.mark.parametrize(
    "replace",
    [remove_files, make_anew, move_away, shutil.rmtree, remove_worker_files],
    ids=["rm *", "rm -r and mkdir", "mv and mkdir", "rm -r", "rm *.worker"],
)


def spawn_with_history(spawn: Spawn) -> tuple[Worker, Worker]:
    """Start two workers that know the totals of a third."""
    dead, first, second = spawn(), spawn(), spawn()
    dead.live(TILES).add(100, style="a")
    dead.die()
    first.live(TILES).add(10, style="a")
    second.live(TILES).add(1, style="a")
    for worker in (first, second):
        worker.live(OPEN).add(2, style="a")
        worker.live(ZOOM).set(7, style="a")
        worker.live(DURATION).record(0.5, style="a")
        worker.view.refresh()
    return first, second


class TestMove:
    @REPLACEMENTS
    def test_no_number_is_lost(
        self, spawn: Spawn, directory: Path, replace: Callable[[Path], object]
    ) -> None:
        """Living workers move to new files, and the totals of the dead are written again."""
        first, second = spawn_with_history(spawn)
        replace(directory)
        for worker in (first, second):
            worker.allocator.settle()
            worker.live(TILES).add(1, style="a")

        for worker in (first, second):
            assert 113.0 == worker.scraped(TILES, style="a")
            assert 4.0 == worker.scraped(OPEN, style="a")
            assert 7.0 == worker.scraped(ZOOM, style="a")
            assert ([0, 2, 0, 0], 1.0) == worker.scraped(DURATION, style="a")

    @REPLACEMENTS
    def test_each_worker_counts_a_fault(
        self, spawn: Spawn, directory: Path, replace: Callable[[Path], object]
    ) -> None:
        """Each worker with a removed file counts a fault."""
        first, second = spawn_with_history(spawn)
        replace(directory)

        assert first.faults_by_reason()["replaced file"] >= 1
        assert second.faults_by_reason()["replaced file"] >= 1

    def test_fault_is_said_once(
        self, spawn: Spawn, directory: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A removed file is said once, with its path."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        with caplog.at_level(logging.WARNING, "otel_meta"):
            for _ in range(3):
                remove_worker_files(directory)
                worker.faults_by_reason()

        said = [record.getMessage() for record in caplog.records]
        assert [True] == ["was removed from the directory" in line for line in said]

    def test_later_scrapes_count_once(self, spawn: Spawn, directory: Path) -> None:
        """After the replacement, deaths and scrapes count every number once."""
        first, second = spawn_with_history(spawn)
        make_anew(directory)
        for worker in (first, second, first):
            worker.view.refresh()
        first.die()

        assert 111.0 == second.scraped(TILES, style="a") == second.scraped(TILES, style="a")

    def test_directory_that_comes_back_counts_once(self, spawn: Spawn, directory: Path) -> None:
        """If the first directory comes back, no number counts twice."""
        first, second = spawn_with_history(spawn)
        move_away(directory)
        for worker in (first, second):
            worker.view.refresh()
        shutil.rmtree(directory)
        directory.with_name("moved").rename(directory)
        for worker in (first, second):
            worker.allocator.settle()

        assert 111.0 == first.scraped(TILES, style="a") == second.scraped(TILES, style="a")

    def test_removed_file_of_idle_worker_is_replaced(self, spawn: Spawn, directory: Path) -> None:
        """A worker with declarations alone declares them again."""
        worker = spawn()
        worker.live(TILES)
        worker.view.families()
        before = worker.scraped_series("otel_meta.series.limit")
        remove_files(directory)

        assert before == worker.scraped_series("otel_meta.series.limit")


@pytest.fixture
def switch_often() -> Iterator[None]:
    """Let threads switch at nearly every opportunity."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class TestRecordersMeanwhile:
    @pytest.mark.usefixtures("switch_often")
    def test_no_recording_is_lost_or_counted_twice(self, spawn: Spawn, directory: Path) -> None:
        """Threads that record while their series move lose no recording."""
        worker, stopped = spawn(), Event()
        counts = [0] * 2

        def record(number: int) -> None:
            tiles, duration = worker.live(TILES), worker.live(DURATION)
            handle = tiles.with_labels(style="shared")
            while not stopped.is_set():
                handle.add(1)
                tiles.add(1, style=str(number))
                duration.record(0.5, style="shared")
                counts[number] += 1

        threads = [Thread(target=record, args=[number]) for number in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(counts), "a thread does not record")
        for _ in range(20):
            remove_worker_files(directory)
            worker.allocator.settle()
        stopped.set()
        for thread in threads:
            thread.join()
        worker.allocator.settle()
        series = worker.scraped_series(TILES.name)

        assert float(sum(counts)) == series["shared",]
        assert counts == [series[str(number),] for number in range(2)]
        assert ([0, sum(counts), 0, 0], sum(counts) / 2) == worker.scraped(DURATION, style="shared")


class TestRemovedSeries:
    def test_removed_series_does_not_move(self, spawn: Spawn, directory: Path) -> None:
        """A series that the application removed does not come back with the move."""
        worker = spawn()
        for style in "ab":
            worker.live(OPEN).add(1, style=style)
        worker.live(OPEN).remove(style="a")
        remove_files(directory)

        assert {("b",): 1.0} == worker.scraped_series(OPEN.name)
