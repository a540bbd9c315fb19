from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.multiprocess import shared_memory as shared_slots
from otel_meta.runtime.multiprocess import writer as own_file
from otel_meta.runtime.recording.family import OVERFLOW
from tests.runtime.multiprocess.conftest import DURATION, OPEN, TILES, Hiring, files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run


FORKS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"  # of Python 3.12 and later
)


class TestTake:
    def test_zero(self, hire: Hiring) -> None:
        """Numbers are zero to begin with, and as many as were asked for."""
        slots = hire().shared.slots

        assert [0.0] * 5 == list(slots.allocate(DURATION, ("a",), 5))

    def test_own(self, hire: Hiring) -> None:
        """No two series share a number, not even those of the same name."""
        slots = hire().shared.slots
        taken = [slots.allocate(TILES, (name,), 1) for name in ("a", "b", "a")]
        for number, numbers in enumerate(taken):
            numbers[0] = float(number)

        assert [0.0, 1.0, 2.0] == [numbers[0] for numbers in taken]

    def test_lazy(self, hire: Hiring, numbers: Path) -> None:
        """Who records nothing has no file."""
        worker = hire()
        before = files(numbers)
        worker.of(TILES).add(1, style="a")

        assert ([], 1) == (before, len(files(numbers)))

    def test_overflow(self, hire: Hiring) -> None:
        """The series of the overflow is told apart from one of that name."""
        one, two = hire(), hire()
        one.shared.slots.allocate(TILES, OVERFLOW, 1)[0] = 1.0
        two.of(TILES)
        (cell,) = (
            c for f in two.view.families() if f.instrument.name == TILES.name for c in f.cells()
        )

        assert cell.labels is OVERFLOW

    def test_closed(self, hire: Hiring, numbers: Path) -> None:
        """What is recorded after the end goes nowhere, and does no harm."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        worker.shared.close()
        worker.of(TILES).add(1, style="a")
        worker.of(TILES).add(1, style="b")
        other = hire()
        other.of(TILES)

        assert {("a",): 1.0} == other.all(TILES.name)
        assert "totals" in files(numbers)


class TestRelease:
    def test_used_again(self, hire: Hiring, numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Series that come and go do not make the file grow without end."""
        monkeypatch.setattr(own_file, "_QUARANTINE", 0.0)
        worker, other = hire(), hire()
        for number in range(5000):
            worker.of(OPEN).add(1, style=f"{number:05}")
            if number % 1000 == 0:
                assert {(f"{number:05}",): 1.0} == other.all(OPEN.name)
            worker.of(OPEN).remove(style=f"{number:05}")
            if number % 1000 == 999:
                assert {} == other.all(OPEN.name)

        assert {} == other.all(OPEN.name)
        assert {65_536} == {path.stat().st_size for path in numbers.glob("*.worker")}

    def test_not_at_once(self, hire: Hiring) -> None:
        """A place is not used again while a reader may still look at it."""
        slots = hire().shared.slots
        old = slots.allocate(OPEN, ("a",), 1)
        slots.free(OPEN, ("a",))
        slots.allocate(OPEN, ("b",), 1)[0] = 5.0

        assert 0.0 == old[0]

    def test_unknown(self, hire: Hiring) -> None:
        """Releasing what was never taken does nothing."""
        worker = hire()
        worker.of(OPEN).add(1, style="a")
        worker.shared.slots.free(OPEN, ("b",))

        assert {("a",): 1.0} == worker.all(OPEN.name)


@FORKS
class TestFork:
    def test_own_file(self, hire: Hiring, numbers: Path) -> None:
        """A child counts in a file of its own, and the parent in its own, from where it was."""
        worker = hire()
        worker.of(TILES).add(10, style="a")
        child = os.fork()
        if child == 0:
            worker.of(TILES).add(1, style="a")
            os._exit(len(files(numbers)))
        status = os.waitpid(child, 0)[1]
        worker.of(TILES).add(100, style="a")

        assert 2 == os.waitstatus_to_exitcode(status)
        assert 111.0 == worker.shows(TILES, style="a")

    def test_lock(self, hire: Hiring, numbers: Path) -> None:
        """A child that goes on after its parent does not make it look alive."""
        worker, other = hire(), hire()
        worker.of(TILES).add(10, style="a")
        other.of(TILES).add(0, style="a")
        reading, writing = os.pipe()
        started, starting = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.write(starting, b"x")
            os.read(reading, 1)
            os._exit(0)
        os.read(started, 1)
        worker.die()
        other.view.refresh()
        found = files(numbers)
        for descriptor in (reading, writing, started, starting):
            os.close(descriptor)
        os.waitpid(child, 0)

        assert 2 == len(found)
        assert "totals" in found

    def test_refused(self, hire: Hiring, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child that can have no file records in its own memory, and does not ask each time."""
        monkeypatch.setattr(shared_slots, "_PAUSE", 1000.0)
        worker = hire()
        worker.of(TILES).add(1, style="a")
        child = os.fork()
        if child == 0:
            asked = []
            monkeypatch.setattr(shared_slots, "create", lambda *_: refuse(asked))
            for style in "abc":
                worker.of(TILES).add(1, style=style)
            counted = sum(cell.value for cell in worker.storage.family(TILES).cells())
            os._exit(int(len(asked) * 10 + counted))
        status = os.waitpid(child, 0)[1]

        assert 13 == os.waitstatus_to_exitcode(status)


def refuse(asked: list[int]) -> None:
    """Have no file."""
    asked.append(1)
    raise OSError(28, "No space left on device")


class TestSignal:
    def test_in_between(self, hire: Hiring) -> None:
        """A handler that records while a series is added neither waits nor writes in between."""
        worker = hire()
        slots = worker.shared.slots
        found: list[str] = []

        def handle(*_: object) -> None:
            try:
                slots.allocate(TILES, ("handler",), 1)
            except BlockingIOError as error:
                found.append(str(error))

        before = signal.signal(signal.SIGUSR1, handle)
        try:
            with slots._writing():
                signal.raise_signal(signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)

        assert ["a signal came while a series was added"] == found


class TestFull:
    def test_serves_on(self, script: Callable[..., Run], tmp_path: Path) -> None:
        """On a full disk the application goes on; what found no place is counted as a fault."""
        run = script(FULL, OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "numbers"))

        assert ["atlas_tiles_total: [Errno 27] File too large (slot)"] == [
            line.partition(";")[0] for line in run.stderr.splitlines()
        ]
        kept, shared, faults = map(float, run.stdout.split())
        assert 3000.0 == kept
        assert 100 < shared < 1999
        assert kept - shared == faults

    def test_reserve(self, hire: Hiring, monkeypatch: pytest.MonkeyPatch) -> None:
        """Faults find a place when nothing else does."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        monkeypatch.setattr("otel_meta.runtime.multiprocess.growing_file._allocate", no_space)
        taken = 0
        with suppress(OSError):
            for taken in range(10_000):  # it stays what it was
                worker.shared.slots.allocate(TILES, (str(taken),), 1)
        with pytest.raises(OSError, match="No space"):
            worker.shared.slots.allocate(TILES, (str(taken),), 1)
        worker.shared.slots.allocate(FAULTS, ("disk", "full"), 1)[0] = 3.0

        assert 3.0 == worker.shows(FAULTS, source="disk", reason="full")


def no_space(*_: object) -> None:
    """Have a full disk."""
    raise OSError(28, "No space left on device")


FULL = '''
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
resource.setrlimit(resource.RLIMIT_FSIZE, (65536 * 2, 65536 * 2))  # stands for the end of the disk
for number in range(3000):
    atlas.tiles.add(1, style=str(number))
print(sum(cell.value for cell in telemetry.storage.family(Atlas.tiles).cells()))
page = telemetry.scrape.render()[0].decode().splitlines()
print(sum(float(line.split()[-1]) for line in page if line.startswith("atlas_tiles_total{")))
print(sum(float(line.split()[-1]) for line in page if 'reason="slot"' in line))
'''
