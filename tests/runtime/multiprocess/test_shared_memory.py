from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.multiprocess import shared_memory, writer
from otel_meta.runtime.multiprocess.writer import WorkerFileWriter
from otel_meta.runtime.recording.family import OVERFLOW
from tests.conftest import Run
from tests.runtime.multiprocess.conftest import DURATION, OPEN, TILES, Spawn, files

FORKS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"  # of Python 3.12 and later
)


def raise_no_space(*_: object) -> NoReturn:
    """Fail as on a full disk."""
    raise OSError(28, "No space left on device")


class TestTake:
    def test_numbers_are_zero(self, spawn: Spawn) -> None:
        """Allocated numbers are zero."""
        allocator = spawn().allocator

        assert [0.0] * 5 == list(allocator.allocate(DURATION, ("a",), 5))

    def test_series_share_no_number(self, spawn: Spawn) -> None:
        """Two series share no number, even if their labels are equal."""
        allocator = spawn().allocator
        taken = [allocator.allocate(TILES, (name,), 1) for name in ("a", "b", "a")]
        for number, numbers in enumerate(taken):
            numbers[0] = float(number)

        assert [0.0, 1.0, 2.0] == [numbers[0] for numbers in taken]

    def test_file_is_created_with_first_series(self, spawn: Spawn, directory: Path) -> None:
        """A worker has a file from its first series on."""
        worker = spawn()
        before = files(directory)
        worker.live(TILES).add(1, style="a")

        assert ([], 1) == (before, len(files(directory)))

    def test_overflow_series_keeps_its_identity(self, spawn: Spawn) -> None:
        """The overflow series is read as the overflow series, not as a series of that name."""
        first, second = spawn(), spawn()
        first.allocator.allocate(TILES, OVERFLOW, 1)[0] = 1.0
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
        allocator = spawn().allocator
        old = allocator.allocate(OPEN, ("a",), 1)
        allocator.free(OPEN, ("a",))
        allocator.allocate(OPEN, ("b",), 1)[0] = 5.0

        assert 0.0 == old[0]

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
            os._exit(len(files(directory)))
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
    def test_allocation_in_signal_handler_is_refused(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signal handler that interrupts an allocation cannot allocate, and does not wait."""
        allocator = spawn().allocator
        errors: list[str] = []
        allocate = WorkerFileWriter.allocate

        def handle(*_: object) -> None:
            try:
                allocator.allocate(TILES, ("handler",), 1)
            except BlockingIOError as error:
                errors.append(str(error))

        def interrupted(*arguments: Any, **options: Any) -> memoryview[float]:
            signal.raise_signal(signal.SIGUSR1)
            return allocate(*arguments, **options)

        monkeypatch.setattr(WorkerFileWriter, "allocate", interrupted)
        previous = signal.signal(signal.SIGUSR1, handle)
        try:
            allocator.allocate(TILES, ("a",), 1)
        finally:
            signal.signal(signal.SIGUSR1, previous)

        assert ["a signal handler interrupted the creation of a series"] == errors


@pytest.fixture(scope="module")
def full_disk_run(script: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `FULL_DISK`."""
    directory = tmp_path_factory.mktemp("numbers")
    return script(FULL_DISK, OTEL_META_MULTIPROCESS_DIR=str(directory))


class TestFullDisk:
    def test_application_continues(self, full_disk_run: Run) -> None:
        """On a full disk, series without space count in their process, and each is a fault."""
        counted, scraped, faults = map(float, full_disk_run.stdout.split())

        assert 3000.0 == counted
        assert 100 < scraped < 1999
        assert counted - scraped == faults

    def test_full_disk_is_logged_once(self, full_disk_run: Run) -> None:
        """A full disk is logged once for a metric."""
        assert ["atlas_tiles_total: [Errno 27] File too large (allocation)"] == [
            line.partition(";")[0] for line in full_disk_run.stderr.splitlines()
        ]

    def test_faults_use_the_reserve(self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
        """Faults are recorded in the reserve when no other series has space."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        monkeypatch.setattr(os, "posix_fallocate", raise_no_space)
        with suppress(OSError):
            for number in range(10_000):
                worker.allocator.allocate(TILES, (str(number),), 1)
        with pytest.raises(OSError, match="No space"):
            worker.allocator.allocate(TILES, ("more",), 1)
        worker.allocator.allocate(FAULTS, ("disk", "full"), 1)[0] = 3.0

        assert 3.0 == worker.scraped(FAULTS, source="disk", reason="full")


FULL_DISK = '''
import resource
from otel_meta import Counter, MetaRepo, configure, labels

@labels
class Tile:
    style: str

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""
    tiles = Counter("atlas.tiles", "Tiles.", Tile, max_series=5000)

telemetry = configure("maps", Atlas, log_stream=None)
atlas = telemetry.bind(Atlas)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536 * 2, 65536 * 2))  # stands for a full disk
for number in range(3000):
    atlas.tiles.add(1, style=str(number))
print(sum(cell.value for cell in telemetry.storage.family(Atlas.tiles).cells()))
page = telemetry.scrape.render()[0].decode().splitlines()
print(sum(float(line.split()[-1]) for line in page if line.startswith("atlas_tiles_total{")))
print(sum(float(line.split()[-1]) for line in page if 'reason="allocation"' in line))
'''
