from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, NoReturn

import pytest

from otel_meta.runtime.multiprocess import shared_memory, writer
from otel_meta.runtime.multiprocess.scanner import DirectoryScanner
from otel_meta.runtime.multiprocess.writer import MappedRecord, WorkerFileWriter
from otel_meta.runtime.recording.family import OVERFLOW
from tests.runtime.multiprocess.conftest import (
    DURATION,
    FORKS,
    OPEN,
    TILES,
    Spawn,
    Worker,
    files,
    place,
    spare_descriptors,
)


def raise_no_space(*_: object) -> NoReturn:
    """Fail as on a full disk."""
    raise OSError(28, "No space left on device")


class TestPlace:
    def test_numbers_are_zero(self, spawn: Spawn) -> None:
        """The numbers of a new series are zero."""
        assert [0.0] * 5 == list(place(spawn(), DURATION, ("a",)).numbers)

    def test_series_share_no_number(self, spawn: Spawn) -> None:
        """Two series share no number, even if their labels are equal."""
        worker = spawn()
        cells = [place(worker, TILES, (name,)) for name in ("a", "b", "a")]
        for number, cell in enumerate(cells):
            cell.add(number)

        assert [0.0, 1.0, 2.0] == [cell.value for cell in cells]

    def test_file_is_created_with_first_series(self, spawn: Spawn, directory: Path) -> None:
        """A worker has a file from its first series on."""
        worker = spawn()
        before = list(directory.glob("*.worker"))
        worker.live(TILES).add(1, style="a")

        assert ([], 1) == (before, len(list(directory.glob("*.worker"))))

    def test_overflow_series_keeps_its_identity(self, spawn: Spawn) -> None:
        """The overflow series is read as the overflow series, not as a series of that name."""
        first, second = spawn(), spawn()
        place(first, TILES, OVERFLOW).add(1)
        second.live(TILES)
        (family,) = (f for f in second.view.families() if f.instrument.name == TILES.name)
        (cell,) = family.cells()

        assert cell.labels is OVERFLOW

    def test_recording_after_close_is_lost(self, spawn: Spawn, directory: Path) -> None:
        """A recording after the end is lost without an error."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        worker.workers.close()
        worker.live(TILES).add(1, style="a")
        worker.live(TILES).add(1, style="b")
        other = spawn()
        other.live(TILES)

        assert {("a",): 1.0} == other.scraped_series(TILES.name)
        assert "totals" in files(directory)


class TestRelease:
    def test_reuse_bounds_file_size(
        self, spawn: Spawn, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Records of removed series are reused, so the file does not grow."""
        monkeypatch.setattr(writer, "REUSE_DELAY", 0.0)
        worker = spawn()
        for number in range(3000):
            worker.live(OPEN).add(1, style=f"{number:05}")
            worker.live(OPEN).remove(style=f"{number:05}")

        assert {65_536} == {path.stat().st_size for path in directory.glob("*.worker")}

    def test_reused_record_has_new_labels(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A reused record is read with its new labels."""
        monkeypatch.setattr(writer, "REUSE_DELAY", 0.0)
        worker, other = spawn(), spawn()
        for number in range(5):
            worker.live(OPEN).add(1, style=str(number))

            assert {(str(number),): 1.0} == other.scraped_series(OPEN.name)
            worker.live(OPEN).remove(style=str(number))
            assert {} == other.scraped_series(OPEN.name)

    def test_reuse_is_delayed(self, spawn: Spawn) -> None:
        """A record is not reused while a reader may still show its numbers."""
        worker = spawn()
        old = place(worker, OPEN, ("a",))
        worker.allocator.free(OPEN, ("a",))
        place(worker, OPEN, ("b",)).add(5)

        assert 0.0 == old.value

    def test_unknown_series_is_ignored(self, spawn: Spawn) -> None:
        """Releasing an unknown series does nothing."""
        worker = spawn()
        worker.live(OPEN).add(1, style="a")
        worker.allocator.free(OPEN, ("b",))

        assert {("a",): 1.0} == worker.scraped_series(OPEN.name)


@FORKS
class TestFork:
    def test_child_has_own_file(self, spawn: Spawn, directory: Path) -> None:
        """A child counts in a file of its own, and the parent continues in its own."""
        worker = spawn()
        worker.live(TILES).add(10, style="a")
        child = os.fork()
        if child == 0:
            worker.live(TILES).add(1, style="a")
            os._exit(len(list(directory.glob("*.worker"))))
        status = os.waitpid(child, 0)[1]
        worker.live(TILES).add(100, style="a")

        assert 2 == os.waitstatus_to_exitcode(status)
        assert 111.0 == worker.scraped(TILES, style="a")

    def test_child_holds_no_lock_of_parent(self, spawn: Spawn, directory: Path) -> None:
        """The parent counts as dead although its child continues."""
        worker, other = spawn(), spawn()
        worker.live(TILES).add(10, style="a")
        other.live(TILES).add(0, style="a")
        with running_child():
            worker.die()
            other.view.refresh()
            found = files(directory)

        assert 2 == len(found)
        assert "totals" in found

    def test_child_of_writer_shares_its_series(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A child forked while another thread extends the file shares its series at once."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        writing, forked = Event(), Event()
        fallocate = os.posix_fallocate

        def extend(*arguments: int) -> None:
            writing.set()
            forked.wait()
            fallocate(*arguments)

        monkeypatch.setattr(os, "posix_fallocate", extend)
        thread = Thread(target=fill_region, args=[worker])
        thread.start()
        writing.wait()
        child = os.fork()
        if child == 0:
            monkeypatch.undo()
            worker.live(TILES).add(1, style="child")
            os._exit(len(worker.shared(TILES)))
        forked.set()
        thread.join()

        assert 1 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 1.0 == worker.scraped(TILES, style="child")
        assert 1502 == len(worker.scraped_series(TILES.name))

    def test_child_of_scraping_thread_scrapes(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A child forked while another thread scans can scrape, and the fork does not wait."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        scanning, forked = Event(), Event()
        find = DirectoryScanner._find_totals

        def slow(*arguments: Any) -> None:
            scanning.set()
            forked.wait()
            find(*arguments)

        monkeypatch.setattr(DirectoryScanner, "_find_totals", slow)
        thread = Thread(target=worker.view.refresh)
        thread.start()
        scanning.wait()
        child = os.fork()
        if child == 0:
            monkeypatch.undo()
            worker.live(TILES).add(2, style="a")
            os._exit(int(worker.scraped(TILES, style="a")))
        forked.set()
        thread.join()

        assert 3 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_child_does_not_inherit_private_numbers(self, spawn: Spawn) -> None:
        """Private numbers of the parent are the parent's alone."""
        worker = spawn()
        with spare_descriptors(0):
            worker.live(TILES).add(10, style="a")
        child = os.fork()
        if child == 0:
            worker.live(TILES).add(1, style="a")
            worker.allocator.settle()
            os._exit(0)
        os.waitpid(child, 0)

        assert 11.0 == worker.scraped(TILES, style="a")
        assert {} == worker.missing()

    def test_failed_creation_is_not_repeated_at_once(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A child without a file counts in private memory, and tries to create a file only once."""
        monkeypatch.setattr(shared_memory, "RETRY_DELAY", 1000.0)
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        child = os.fork()
        if child == 0:
            attempts: list[object] = []

            def fail(*arguments: object) -> None:
                attempts.append(arguments)
                raise_no_space()

            monkeypatch.setattr(shared_memory, "create_worker_file", fail)
            for style in "abc":
                worker.live(TILES).add(1, style=style)
            counted = sum(cell.value for cell in worker.storage.family(TILES).cells())
            os._exit(int(len(attempts) * 10 + counted))
        status = os.waitpid(child, 0)[1]

        assert 13 == os.waitstatus_to_exitcode(status)


def fill_region(worker: Worker) -> None:
    """Add series until the file needs a second region, and more."""
    for number in range(1500):
        worker.live(TILES).add(1, style=f"{number:0100}")


@contextmanager
def running_child() -> Iterator[None]:
    """Fork a child that runs until the end of the block."""
    parent_closed, keep_open = os.pipe()
    child_runs, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(keep_open)
        os.write(report, b"x")
        os.read(parent_closed, 1)
        os._exit(0)
    os.read(child_runs, 1)
    try:
        yield
    finally:
        for fd in (parent_closed, keep_open, child_runs, report):
            os.close(fd)
        os.waitpid(child, 0)


class TestSignal:
    def test_exception_of_handler_reaches_application(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A time limit that a handler raises inside an allocation is no failed allocation."""
        worker = spawn()
        allocate = WorkerFileWriter.allocate

        def limit(*_: object) -> NoReturn:
            raise TimeoutError

        def interrupted(*arguments: Any, **options: Any) -> MappedRecord:
            monkeypatch.setattr(WorkerFileWriter, "allocate", allocate)
            signal.raise_signal(signal.SIGUSR1)
            return allocate(*arguments, **options)

        monkeypatch.setattr(WorkerFileWriter, "allocate", interrupted)
        previous = signal.signal(signal.SIGUSR1, limit)
        try:
            with pytest.raises(TimeoutError):
                worker.storage.family(TILES).series(("a",))
        finally:
            signal.signal(signal.SIGUSR1, previous)
        worker.live(TILES).add(1, style="a")

        assert {("a",): 1.0} == worker.scraped_series(TILES.name)
        assert {} == worker.missing()
        assert 0.0 == worker.faults.count()

    def test_interrupted_call_shares_series_of_signal_handler(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A series of a handler that interrupts a writer is shared by the interrupted call."""
        worker = spawn()
        tiles = worker.live(TILES)
        allocate = WorkerFileWriter.allocate

        def interrupted(*arguments: Any, **options: Any) -> MappedRecord:
            monkeypatch.setattr(WorkerFileWriter, "allocate", allocate)
            signal.raise_signal(signal.SIGUSR1)
            return allocate(*arguments, **options)

        monkeypatch.setattr(WorkerFileWriter, "allocate", interrupted)
        previous = signal.signal(signal.SIGUSR1, lambda *_: tiles.add(2, style="handler"))
        try:
            tiles.add(1, style="a")
        finally:
            signal.signal(signal.SIGUSR1, previous)

        assert {("a",): 1.0, ("handler",): 2.0} == worker.shared(TILES)
