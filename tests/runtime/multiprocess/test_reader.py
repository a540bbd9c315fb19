from __future__ import annotations

import mmap
import os
import select
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta import Counter, NoLabels
from otel_meta.runtime.multiprocess.compaction import numbers_of
from otel_meta.runtime.multiprocess.reader import WorkerFile
from tests.runtime.multiprocess.conftest import DURATION, TILES, ZOOM, Spawn, Worker, worker_path

one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def numbers(file: WorkerFile) -> dict[tuple[str, tuple[str, ...]], list[float]]:
    """Return the numbers of every series, by metric and label values."""
    return {
        (series.descriptor.name, series.labels): list(numbers_of(series))
        for series in file.all_series()
    }


def read(path: Path) -> WorkerFile:
    """Read a file once."""
    file = WorkerFile(path)
    file.read()
    return file


def read_bytes(path: Path, content: bytes | bytearray) -> WorkerFile:
    """Write a file and read it once."""
    path.write_bytes(content)
    return read(path)


def record_everything(worker: Worker, series: int = 3) -> None:
    """Record values of each kind of metric."""
    for number in range(series):
        worker.live(TILES).add(number + 1, style=f"s{number}")
        worker.live(DURATION).record(0.5, style=f"s{number}")
        worker.live(ZOOM).set(number, style=f"s{number}")


@pytest.fixture
def worker_bytes(spawn: Spawn, directory: Path) -> bytes:
    """Content of a worker file."""
    record_everything(spawn())
    (path,) = directory.glob("*.worker")
    return path.read_bytes()


@pytest.fixture
def totals_bytes(spawn: Spawn, directory: Path) -> bytes:
    """Content of a totals file."""
    worker = spawn()
    record_everything(worker)
    worker.die()
    spawn().view.refresh()
    return (directory / "totals").read_bytes()


class TestRead:
    def test_growth_is_read(self, spawn: Spawn, directory: Path) -> None:
        """Later reads find the records appended since, in the same region or in the next."""
        worker = spawn()
        worker.live(TILES).add(1, style="first")
        (path,) = directory.glob("*.worker")
        file = read(path)
        before = len(numbers(file))
        for number in range(1500):
            worker.live(TILES).add(1, style=f"{number:0100}")
            if number % 100 == 0:
                file.read()
        file.read()

        assert (1, 1501) == (before, len(numbers(file)))
        assert file.damage is None

    def test_growth_during_read_is_no_damage(
        self, spawn: Spawn, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that grows between mapping and reading is not reported as truncated."""
        worker = spawn()
        worker.live(TILES).add(1, style="first")
        (path,) = directory.glob("*.worker")
        original, growths = mmap.mmap, iter((range(500), range(500, 1900)))

        def map_and_grow(*args: Any, **options: Any) -> mmap.mmap:
            mapped = original(*args, **options)
            if "access" in options:  # of the reader
                for number in next(growths, ()):
                    worker.live(TILES).add(1, style=f"{number:0100}")
            return mapped

        monkeypatch.setattr(mmap, "mmap", map_and_grow)
        file = read(path)

        assert file.damage is None
        assert 1901 == len(numbers(file))

    def test_damage_of_a_moment_is_forgotten(self, spawn: Spawn, directory: Path) -> None:
        """A record that was damaged for a moment is read later, and the damage is forgotten."""
        worker = spawn()
        for style in "abc":
            worker.live(TILES).add(1, style=style)
        path = worker_path(directory)
        at = path.read_bytes().index(b'[0,["b"]]')
        with path.open("r+b") as content:
            content.seek(at)
            content.write(b'[0,["x"]]')
            content.flush()
            file = read(path)
            damage = file.damage
            content.seek(at)
            content.write(b'[0,["b"]]')
        file.read()

        assert damage is not None
        assert file.damage is None
        assert {("atlas.tiles", (style,)): [1.0] for style in "abc"} == numbers(file)

    def test_file_that_grows_all_the_time_is_whole(self, spawn: Spawn, directory: Path) -> None:
        """A file that another process extends is never reported as damaged."""
        watcher, told = spawn(max_series=9000), os.pipe()
        child = os.fork()
        if child == 0:
            for number in range(6000):
                watcher.live(TILES).add(1, style=str(number))
            os.write(told[1], b"x")
            signal.pause()
        reads = 0
        while not select.select([told[0]], [], [], 0)[0]:
            watcher.view.refresh()
            reads += 1
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for fd in told:
            os.close(fd)
        watcher.live(TILES)

        assert 6000 == len(watcher.scraped_series(TILES.name))
        assert reads > 1
        assert {} == watcher.faults_by_reason()
        assert not (directory / "damaged").exists()

    def test_numbers_are_current(self, spawn: Spawn, directory: Path) -> None:
        """Series of an earlier read have the current numbers."""
        worker = spawn()
        worker.live(TILES).add(1, style="a")
        (path,) = directory.glob("*.worker")
        file = read(path)
        worker.live(TILES).add(1, style="a")

        assert {("atlas.tiles", ("a",)): [2.0]} == numbers(file)

    def test_numbers_outlive_the_file(self, spawn: Spawn, directory: Path) -> None:
        """Series of an earlier read stay readable after the file is removed."""
        spawn().live(TILES).add(1, style="a")
        (path,) = directory.glob("*.worker")
        file = read(path)
        path.unlink()

        assert {("atlas.tiles", ("a",)): [1.0]} == numbers(file)

    def test_removed_file_raises(self, spawn: Spawn, directory: Path) -> None:
        """Reading a removed file raises `FileNotFoundError`."""
        spawn().live(TILES).add(1, style="a")
        (path,) = directory.glob("*.worker")
        file = read(path)
        path.unlink()

        with pytest.raises(FileNotFoundError):
            file.read()


class TestDamage:
    @one_folder
    @given(data=st.data())
    def test_flipped_byte_of_worker_file_adds_no_series(
        self, worker_bytes: bytes, tmp_path: Path, data: st.DataObject
    ) -> None:
        """A flipped byte in a worker file may lose series, but never makes a new series.

        Numbers change all the time, so a flipped number cannot be detected.
        """
        flipped = bytearray(worker_bytes)
        used = len(worker_bytes.rstrip(b"\0")) + 32
        flipped[data.draw(st.integers(0, used))] ^= data.draw(st.integers(1, 255))
        found = read_bytes(tmp_path / "flipped", flipped)
        whole = read_bytes(tmp_path / "whole", worker_bytes)

        assert numbers(found).keys() <= numbers(whole).keys()

    @one_folder
    @given(data=st.data())
    def test_flipped_byte_of_totals_is_detected(
        self, totals_bytes: bytes, tmp_path: Path, data: st.DataObject
    ) -> None:
        """A flipped byte in the totals is detected, or changes nothing."""
        flipped = bytearray(totals_bytes)
        flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= data.draw(st.integers(1, 255))
        found = read_bytes(tmp_path / "flipped", flipped)
        whole = numbers(read_bytes(tmp_path / "whole", totals_bytes))

        assert numbers(found).items() <= whole.items()
        assert found.damage is not None or numbers(found) == whole

    @one_folder
    @given(data=st.data())
    def test_truncated_file_is_detected(
        self, worker_bytes: bytes, totals_bytes: bytes, tmp_path: Path, data: st.DataObject
    ) -> None:
        """A truncated file is detected, and its remaining records are read."""
        content = data.draw(st.sampled_from([worker_bytes, totals_bytes]))
        length = data.draw(st.integers(0, len(content) - 1))
        found = read_bytes(tmp_path / "truncated", content[:length])
        whole = read_bytes(tmp_path / "whole", content)

        assert found.damage is not None
        assert numbers(found).items() <= numbers(whole).items()

    def test_file_truncated_after_reading_is_damaged(self, spawn: Spawn, directory: Path) -> None:
        """A file truncated between two reads is damaged."""
        spawn().live(TILES).add(1, style="a")
        (path,) = directory.glob("*.worker")
        file = read(path)
        os.truncate(path, 32_768)
        file.read()

        assert (file.damage or "").startswith("it is truncated")

    @one_folder
    @given(garbage=st.binary(max_size=400))
    def test_garbage_has_no_series(self, tmp_path: Path, garbage: bytes) -> None:
        """A file of another format is damaged and has no series."""
        found = read_bytes(tmp_path / "garbage", garbage)

        assert found.damage is not None
        assert {} == numbers(found)

    def test_series_of_damaged_descriptor_is_skipped(self, spawn: Spawn, directory: Path) -> None:
        """A series is skipped if its descriptor is damaged, even without labels."""
        worker = spawn()
        worker.live(Counter("atlas.maps", "Maps.", NoLabels)).add(1)
        worker.live(TILES).add(1, style="a")
        (path,) = directory.glob("*.worker")
        damaged = path.read_bytes().replace(b"atlas.maps", b"atlas.mops", 1)

        found = numbers(read_bytes(path.with_name("damaged"), damaged))

        assert {("atlas.tiles", ("a",)): [1.0]} == found
