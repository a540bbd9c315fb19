from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess.compaction import compact
from otel_meta.runtime.multiprocess.directory import Directory
from otel_meta.runtime.multiprocess.reader import WorkerFile
from tests.runtime.multiprocess.conftest import OPEN, TILES, Spawn, Worker, files, worker_path


def spawn_with_tiles(spawn: Spawn, **tiles: int) -> Worker:
    """Start a worker that has counted tiles by style."""
    worker = spawn()
    for style, amount in tiles.items():
        worker.live(TILES).add(amount, style=style)
    return worker


class TestCompaction:
    @settings(max_examples=40)
    @given(
        steps=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "die", "scrape"])))
    )
    def test_total_is_sum_of_recordings(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
    ) -> None:
        """The total is the sum of all recordings, whatever the order of deaths and scrapes."""
        directory = tmp_path_factory.mktemp("numbers")
        living: dict[str, Worker] = {}
        recorded = 0
        watcher = Worker(directory)
        watcher.live(TILES).add(0, style="a")
        for name, step in steps:
            worker = living.get(name) or Worker(directory)
            living[name] = worker
            if step == "add":
                worker.live(TILES).add(1, style="a")
                recorded += 1
            elif step == "die":
                living.pop(name).die()
            else:
                worker.live(TILES)
                assert float(recorded) == worker.scraped(TILES, style="a")
        total = watcher.scraped(TILES, style="a")
        count = len(files(directory))
        for worker in (watcher, *living.values()):
            worker.die()

        assert float(recorded) == total
        assert count <= len(living) + 2

    def test_crash_before_removal_counts_once(
        self, spawn: Spawn, directory: Path, tmp_path: Path
    ) -> None:
        """After a crash between the rename and the removal, a dead worker counts once."""
        spawn_with_tiles(spawn, a=3).die()
        path = worker_path(directory)
        shutil.copy(path, tmp_path / "copy")
        worker = spawn()
        worker.live(TILES)
        before = worker.scraped(TILES, style="a")
        shutil.copy(tmp_path / "copy", path)

        assert 3.0 == before == worker.scraped(TILES, style="a")
        assert not path.exists()

    def test_crash_and_another_death_count_once(
        self, spawn: Spawn, directory: Path, tmp_path: Path
    ) -> None:
        """After such a crash and the death of another worker, each dead worker counts once."""
        spawn_with_tiles(spawn, a=3).die()
        path = worker_path(directory)
        shutil.copy(path, tmp_path / "copy")
        worker = spawn_with_tiles(spawn, a=1)
        worker.view.refresh()
        shutil.copy(tmp_path / "copy", path)
        worker.die()
        other = spawn()
        other.live(TILES)

        assert 4.0 == other.scraped(TILES, style="a") == other.scraped(TILES, style="a")

    def test_two_crashes_count_once(self, spawn: Spawn, directory: Path, tmp_path: Path) -> None:
        """After two crashes between rename and removal, the first dead worker counts once."""
        spawn_with_tiles(spawn, a=3).die()
        first = worker_path(directory)
        shutil.copy(first, tmp_path / "first")
        worker, other = spawn(), spawn_with_tiles(spawn, a=1)
        worker.live(TILES)
        worker.view.refresh()
        shutil.copy(tmp_path / "first", first)
        other.die()
        worker.view.refresh()
        shutil.copy(tmp_path / "first", first)

        assert 4.0 == worker.scraped(TILES, style="a") == worker.scraped(TILES, style="a")

    def test_unfinished_file_is_removed(self, spawn: Spawn, directory: Path) -> None:
        """A scan removes the unfinished files of ended processes, and no fresh one."""
        worker = spawn()
        abandoned, fresh = directory / "1-x.new", directory / "2-x.new"
        for path in (directory / "new", abandoned, fresh):
            path.write_bytes(b"half")
        os.utime(abandoned, (1, 1))
        worker.view.refresh()

        assert ["2-x.new", "totals"] == files(directory)

    def test_dead_count_on_full_disk(
        self, spawn: Spawn, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a full disk, dead workers count from their files, and the failure is a fault."""
        dead, worker = spawn_with_tiles(spawn, a=3), spawn_with_tiles(spawn, a=1)
        dead.die()
        monkeypatch.setattr(Directory, "new", directory / "missing" / "new")

        assert 4.0 == worker.scraped(TILES, style="a")
        assert worker.faults_by_reason()["compaction"] >= 1

    def test_compaction_is_retried(
        self, spawn: Spawn, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Once the disk has space again, the files of dead workers are compacted."""
        dead, worker = spawn_with_tiles(spawn, a=3), spawn_with_tiles(spawn, a=1)
        dead.die()
        with monkeypatch.context() as full_disk:
            full_disk.setattr(Directory, "new", directory / "missing" / "new")
            worker.view.refresh()

        assert 4.0 == worker.scraped(TILES, style="a")
        assert 2 == len(files(directory))

    def test_many_series_survive(self, spawn: Spawn) -> None:
        """Totals keep every one of many series."""
        dead, worker = spawn(), spawn()
        for number in range(1999):
            dead.live(TILES).add(number, style=str(number))
        dead.die()
        worker.live(TILES)

        assert {(str(n),): float(n) for n in range(1999)} == worker.scraped_series(TILES.name)

    def test_equal_descriptors_are_merged(self, spawn: Spawn, directory: Path) -> None:
        """Totals have one descriptor for equal descriptors of dead workers."""
        for _ in range(3):
            spawn_with_tiles(spawn, a=1).die()
        spawn().view.refresh()
        totals = WorkerFile(directory / "totals")
        totals.read()

        assert [TILES.name] == [descriptor.name for descriptor, _ in compact([totals], [])]


class TestClose:
    def test_worker_that_leaves_others_reads_no_file(self, spawn: Spawn, directory: Path) -> None:
        """A worker that leaves others behind reads no file: the others' next scan does."""
        first, second = spawn(), spawn()
        first.live(TILES).add(1, style="a")
        second.live(TILES).add(2, style="a")
        first.workers.close()
        left = files(directory)

        assert 2 == sum(name.endswith(".worker") for name in left)
        assert 3.0 == second.scraped(TILES, style="a")

    def test_last_worker_leaves_totals_only(self, spawn: Spawn, directory: Path) -> None:
        """The last worker leaves the totals of all behind, and no other file."""
        workers = [spawn(), spawn()]
        for worker in workers:
            worker.live(TILES).add(1, style="a")
        for worker in workers:
            worker.workers.close()
        left, next_worker = files(directory), spawn()
        next_worker.live(TILES)

        assert ["totals"] == left
        assert 2.0 == next_worker.scraped(TILES, style="a")


class TestDamage:
    def test_damaged_worker_file_counts_in_part(self, spawn: Spawn, directory: Path) -> None:
        """The readable part of a dead worker's damaged file counts."""
        worker = spawn()
        damage_file_of_dead_worker(spawn, directory)
        worker.live(TILES)

        assert 3.0 == worker.scraped(TILES, style="a")

    def test_damaged_worker_file_is_a_fault(self, spawn: Spawn, directory: Path) -> None:
        """A damaged worker file is counted once as a fault."""
        worker = spawn()
        damage_file_of_dead_worker(spawn, directory)
        worker.view.refresh()

        assert {"damaged file": 1.0} == worker.faults_by_reason()

    def test_damaged_worker_file_is_moved(self, spawn: Spawn, directory: Path) -> None:
        """The damaged file of a dead worker is moved to damaged/latest."""
        worker = spawn()
        damaged = damage_file_of_dead_worker(spawn, directory)
        content = damaged.read_bytes()
        worker.view.refresh()

        assert content == (directory / "damaged" / "latest").read_bytes()
        assert not damaged.exists()

    def test_damaged_totals_count_in_part(self, spawn: Spawn, directory: Path) -> None:
        """The readable part of damaged totals counts, and the damage is a fault."""
        worker = spawn()
        damage_totals(spawn, directory)
        worker.live(TILES)

        assert {("a",): 3.0} == worker.scraped_series(TILES.name)
        assert {"damaged file": 1.0} == worker.faults_by_reason()

    def test_damaged_totals_are_kept(self, spawn: Spawn, directory: Path) -> None:
        """A copy of damaged totals is kept in damaged/latest."""
        content = damage_totals(spawn, directory)
        spawn().view.refresh()

        assert content == (directory / "damaged" / "latest").read_bytes()

    def test_impossible_value_is_not_added(self, spawn: Spawn) -> None:
        """A series with an impossible value is not added to the totals, and is a fault."""
        dead, worker = spawn_with_tiles(spawn, a=3, b=4), spawn()
        (cell, _) = dead.storage.family(TILES).cells()
        cell.numbers[0] = float("nan")
        dead.die()
        worker.live(TILES)

        assert {("b",): 4.0} == worker.scraped_series(TILES.name)
        assert 1.0 == worker.faults_by_reason()["damaged file"]

    @pytest.mark.parametrize("content", [b"", b"garbage", bytes(65_536)])
    def test_foreign_format_is_moved(self, spawn: Spawn, directory: Path, content: bytes) -> None:
        """A file of another format is moved away, and all other files count."""
        worker = spawn_with_tiles(spawn, a=1)
        (directory / "1-x.worker").write_bytes(content)

        assert 1.0 == worker.scraped(TILES, style="a")
        assert {"damaged file": 1.0} == worker.faults_by_reason()
        assert not (directory / "1-x.worker").exists()


def damage_file_of_dead_worker(spawn: Spawn, directory: Path) -> Path:
    """Damage the descriptor of OPEN in the file of a dead worker with three tiles of style a."""
    dead = spawn_with_tiles(spawn, a=3)
    dead.live(OPEN).add(1, style="a")
    path = worker_path(directory)
    dead.die()
    path.write_bytes(path.read_bytes().replace(b"atlas.open", b"atlas.opem", 1))
    return path


def damage_totals(spawn: Spawn, directory: Path) -> bytes:
    """Damage the last number of totals with three tiles of style a and four of style b."""
    dead = spawn_with_tiles(spawn, a=3, b=4)
    dead.die()
    spawn().view.refresh()
    content = bytearray((directory / "totals").read_bytes())
    content[-1] ^= 1
    (directory / "totals").unlink()
    (directory / "totals").write_bytes(content)
    return bytes(content)
