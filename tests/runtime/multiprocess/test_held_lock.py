"""A process that is stopped while it holds the directory lock: nobody waits for it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_meta.runtime.multiprocess import workers as workers_module
from otel_meta.runtime.multiprocess.directory import Directory, try_lock
from otel_meta.runtime.multiprocess.scanner import DirectoryScanner
from otel_meta.runtime.multiprocess.workers import Workers
from tests.runtime.multiprocess.conftest import TILES, ZOOM, Spawn, Worker, worker_path

AT_ONCE = 0.25
"""Seconds that a call takes at most if it waits for nothing, on a busy machine."""


@pytest.fixture
def held(directory: Path) -> Iterator[None]:
    """Hold the directory lock, as a process does that SIGSTOP stopped."""
    directory.mkdir()
    fd = os.open(directory, os.O_RDONLY)
    assert try_lock(fd)
    yield
    os.close(fd)


def seconds(call: Callable[[], object]) -> float:
    """Return the least time of three calls."""
    times = []
    for _ in range(3):
        start = time.monotonic()
        call()
        times.append(time.monotonic() - start)
    return min(times)


@pytest.mark.usefixtures("held")
class TestHeld:
    def test_first_series_does_not_wait(self, spawn: Spawn) -> None:
        """The first series of a worker does not wait for the lock."""
        assert seconds(lambda: spawn().live(TILES).add(1, style="a")) < AT_ONCE

    def test_scrape_does_not_wait(self, spawn: Spawn) -> None:
        """A scrape does not wait for the lock."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")

        assert seconds(worker.view.refresh) < AT_ONCE

    def test_close_does_not_wait(self, spawn: Spawn) -> None:
        """The end of a worker does not wait for the lock."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")

        assert seconds(worker.workers.close) < AT_ONCE

    def test_new_series_are_shown(self, spawn: Spawn) -> None:
        """Series of other workers are shown although nobody can have the lock."""
        first, second = spawn(), spawn()
        for number in range(3):
            first.live(TILES).add(1, style=str(number))

            assert number + 1 == len(second.scraped_series(TILES.name))

    def test_dead_workers_count(self, spawn: Spawn) -> None:
        """Dead workers count from their files, which nobody can compact."""
        dead, worker = spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        dead.die()
        worker.live(TILES).add(1, style="a")

        assert 4.0 == worker.scraped(TILES, style="a")

    def test_workers_have_different_numbers(self, spawn: Spawn) -> None:
        """Two workers have different numbers although nobody can publish one."""
        first, second = spawn(), spawn()
        for worker in (first, second):
            worker.live(ZOOM).set(1, style="a")

        assert {0, 1} == {owner.worker_number for owner in refreshed(first)}

    def test_port_opens(self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker opens the port of the service after a short wait, and is told of the others."""
        monkeypatch.setattr(workers_module, "_PORT_PATIENCE", 0.01)
        first, second = spawn().workers, spawn().workers
        with first.opening_port(9000) as is_open_before:
            pass
        with second.opening_port(9000) as is_open_after:
            pass

        assert (False, True) == (is_open_before, is_open_after)


def refreshed(worker: Worker) -> Any:
    """Scan, and return the owners."""
    worker.view.refresh()
    return worker.view.owners()


class TestAfterwards:
    def test_leftovers_count_once(self, spawn: Spawn, directory: Path, tmp_path: Path) -> None:
        """A scan without the lock does not count dead workers that the totals name."""
        dead, worker = spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        path = worker_path(directory)
        shutil.copy(path, tmp_path / "copy")
        dead.die()
        worker.live(TILES)
        worker.view.refresh()
        shutil.copy(tmp_path / "copy", path)
        fd = os.open(directory, os.O_RDONLY)
        assert try_lock(fd)
        during = worker.scraped(TILES, style="a")
        os.close(fd)

        assert 3.0 == during == worker.scraped(TILES, style="a")

    def test_compaction_during_scan_counts_once(
        self, spawn: Spawn, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A scan without the lock is repeated if another process compacts meanwhile."""
        dead, worker, other = spawn(), spawn(), spawn()
        dead.live(TILES).add(3, style="a")
        other.live(TILES)
        worker.live(TILES).add(1, style="a")
        fd = os.open(directory, os.O_RDONLY)
        assert try_lock(fd)
        find = DirectoryScanner._find_totals

        def compacting(scanner: DirectoryScanner, found: Any) -> None:
            monkeypatch.setattr(DirectoryScanner, "_find_totals", find)
            os.close(fd)
            dead.die()
            other.view.refresh()
            find(scanner, found)

        monkeypatch.setattr(DirectoryScanner, "_find_totals", compacting)

        assert 4.0 == worker.scraped(TILES, style="a")

    def test_number_is_published_later(self, spawn: Spawn, directory: Path) -> None:
        """A worker publishes its number once it has the lock."""
        directory.mkdir()
        with Directory(directory).try_locked():
            first, second = spawn(), spawn()
            for worker in (first, second):
                worker.live(ZOOM).set(1, style="a")
        second.allocator.settle()
        first.allocator.settle()

        assert [1, 0] == [owner.worker_number for owner in refreshed(first)]


class TestStart:
    def test_worker_starts_while_lock_is_held(self, directory: Path) -> None:
        """A worker starts while another process holds the lock, and has no fault to report."""
        directory.mkdir()
        with Directory(directory).try_locked():
            assert seconds(lambda: Workers(directory, "maps", "")) < AT_ONCE
