from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.multiprocess import compaction as fold
from otel_meta.runtime.multiprocess.directory import Directory
from tests.runtime.multiprocess.conftest import OPEN, TILES, Hiring, Worker, files

if TYPE_CHECKING:
    from pathlib import Path

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


class TestFold:
    @same_folder
    @given(
        steps=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "die", "look"])))
    )
    def test_never_back(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
    ) -> None:
        """Whoever records, dies and looks in whatever order, the total is what was recorded."""
        numbers = tmp_path_factory.mktemp("numbers")
        living: dict[str, Worker] = {}
        recorded = 0
        watcher = Worker(numbers)
        watcher.of(TILES).add(0, style="a")
        for name, step in steps:
            worker = living.get(name) or Worker(numbers)
            living[name] = worker
            if step == "add":
                worker.of(TILES).add(1, style="a")
                recorded += 1
            elif step == "die":
                living.pop(name).die()
            else:
                worker.of(TILES)
                assert float(recorded) == worker.shows(TILES, style="a")
        total = watcher.shows(TILES, style="a")
        count = len(files(numbers))
        for worker in (watcher, *living.values()):
            worker.die()

        assert float(recorded) == total
        assert count <= len(living) + 2

    def test_interrupted(self, hire: Hiring, numbers: Path, tmp_path: Path) -> None:
        """Who is killed after the totals are written and before the file is gone counts once."""
        dead = hire()
        dead.of(TILES).add(3, style="a")
        dead.die()
        (path,) = numbers.glob("*.worker")
        shutil.copy(path, tmp_path / "kept")
        worker = hire()
        worker.of(TILES)
        once = worker.shows(TILES, style="a")
        shutil.copy(tmp_path / "kept", path)
        twice = worker.shows(TILES, style="a")

        assert 3.0 == once == twice
        assert not path.exists()

    def test_interrupted_and_more(self, hire: Hiring, numbers: Path, tmp_path: Path) -> None:
        """Nor does it count again when the next one dies before anybody has looked."""
        dead = hire()
        dead.of(TILES).add(3, style="a")
        dead.die()
        (path,) = numbers.glob("*.worker")
        shutil.copy(path, tmp_path / "kept")
        worker = hire()
        worker.of(TILES).add(1, style="a")
        worker.view.refresh()
        shutil.copy(tmp_path / "kept", path)
        worker.die()
        other = hire()
        other.of(TILES)

        assert 4.0 == other.shows(TILES, style="a")
        assert 4.0 == other.shows(TILES, style="a")

    def test_unfinished(self, hire: Hiring, numbers: Path) -> None:
        """A file that was never finished is cleared away."""
        worker = hire()
        (numbers / "new").write_bytes(b"half")
        worker.view.refresh()

        assert [] == files(numbers)

    def test_no_place(self, hire: Hiring, numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a full disk the dead are counted as they are, and folded once there is place."""
        dead, worker = hire(), hire()
        dead.of(TILES).add(3, style="a")
        worker.of(TILES).add(1, style="a")
        dead.die()
        with monkeypatch.context() as patched:
            patched.setattr(Directory, "new", numbers / "missing" / "new")
            full = worker.shows(TILES, style="a")
            reasons = worker.reasons()
        after = worker.shows(TILES, style="a")

        assert 4.0 == full == after
        assert reasons["fold"] >= 1
        assert 2 == len(files(numbers))

    def test_large(self, hire: Hiring) -> None:
        """Totals of many series come out as they went in."""
        dead, worker = hire(), hire()
        for number in range(1999):
            dead.of(TILES).add(number, style=str(number))
        dead.die()
        worker.of(TILES)

        assert {(str(n),): float(n) for n in range(1999)} == worker.all(TILES.name)


class TestDamage:
    def test_worker(self, hire: Hiring, numbers: Path) -> None:
        """What can be read of a damaged file counts; the file is set aside, and that is counted."""
        dead, worker = hire(), hire()
        dead.of(TILES).add(3, style="a")
        dead.of(OPEN).add(1, style="a")
        worker.of(TILES)
        (path,) = numbers.glob("*.worker")
        dead.die()
        file = bytearray(path.read_bytes())
        at = file.index(b"atlas.open")
        file[at] ^= 1
        path.write_bytes(file)

        assert 3.0 == worker.shows(TILES, style="a")
        assert {"damaged file": 1.0} == worker.reasons()
        assert [path.read_bytes()] == [bytes(file)] if path.exists() else True
        assert bytes(file) == (numbers / "damaged" / "latest").read_bytes()
        assert 2 == len(files(numbers))

    def test_totals(self, hire: Hiring, numbers: Path) -> None:
        """What can be read of damaged totals goes on; a copy is set aside, and that is counted."""
        dead, worker = hire(), hire()
        dead.of(TILES).add(3, style="a")
        dead.of(TILES).add(4, style="b")
        dead.die()
        worker.of(TILES)
        worker.view.refresh()
        file = bytearray((numbers / "totals").read_bytes())
        file[-1] ^= 1  # of the last number
        (numbers / "totals").unlink()
        (numbers / "totals").write_bytes(file)

        assert {("a",): 3.0} == worker.all(TILES.name)
        assert {"damaged file": 1.0} == worker.reasons()
        assert bytes(file) == (numbers / "damaged" / "latest").read_bytes()

    def test_odd(self, hire: Hiring, numbers: Path) -> None:
        """A number that nobody can have recorded is not added to the totals."""
        dead, worker = hire(), hire()
        dead.of(TILES).add(3, style="a")
        dead.of(TILES).add(4, style="b")
        (cell, _) = dead.storage.family(TILES).cells()
        cell.numbers[0] = float("nan")
        dead.die()
        worker.of(TILES)

        assert {("b",): 4.0} == worker.all(TILES.name)
        assert 1.0 == worker.reasons()["damaged file"]

    @pytest.mark.parametrize("file", [b"", b"garbage", bytes(65_536)])
    def test_garbage(self, hire: Hiring, numbers: Path, file: bytes) -> None:
        """Something that is no file of numbers is set aside, and the rest counts."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        (numbers / "1-x.worker").write_bytes(file)

        assert 1.0 == worker.shows(TILES, style="a")
        assert {"damaged file": 1.0} == worker.reasons()
        assert 2 >= len(files(numbers))

    def test_gone(self, hire: Hiring, numbers: Path) -> None:
        """Where the directory is taken away, a worker shows what it saw last, and counts that."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        worker.view.refresh()
        shutil.rmtree(numbers)
        worker.of(TILES).add(1, style="a")

        assert 2.0 == worker.shows(TILES, style="a")
        assert worker.reasons()["look"] >= 1


class TestOthers:
    def test_refused(self, hire: Hiring) -> None:
        """Two services in one directory are an error at the start of the second."""
        hire().of(TILES).add(1, style="a")
        with pytest.raises(ConfigurationError, match="'maps' in 'atlas-maps'; give each service"):
            hire(service="routes")

    def test_totals_refused(self, hire: Hiring) -> None:
        """So they are when the first has stopped."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        worker.die()
        hire().view.refresh()
        with pytest.raises(ConfigurationError, match="holds the numbers of 'maps'"):
            hire(service="routes")

    def test_left_alone(self, hire: Hiring, numbers: Path, tmp_path: Path) -> None:
        """One that gets in nevertheless is neither counted nor touched."""
        other = Worker(tmp_path / "other", service="routes")
        other.of(TILES).add(5, style="a")
        (path,) = (tmp_path / "other").glob("*.worker")
        worker = hire()
        worker.of(TILES).add(1, style="a")
        shutil.copy(path, numbers / path.name)
        other.die()

        assert 1.0 == worker.shows(TILES, style="a")
        assert {"other service": 1.0} == worker.reasons()
        assert (numbers / path.name).exists()


def test_totals_have_no_more_than_one_family_a_shape(hire: Hiring) -> None:
    """What the dead have declared alike is one metric in the totals."""
    for _ in range(3):
        worker = hire()
        worker.of(TILES).add(1, style="a")
        worker.die()
    looker = hire()
    look = looker.shared._survey.look()
    assert look.totals is not None

    assert [TILES.name] == [of.name for of, _ in fold.compacted_totals([look.totals], [])]
