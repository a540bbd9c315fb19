from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess.reader import WorkerFile
from tests.runtime.multiprocess.conftest import DURATION, TILES, ZOOM, Hiring, Worker

if TYPE_CHECKING:
    from pathlib import Path

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def what(contents: WorkerFile) -> dict[tuple[str, tuple[str, ...]], list[float]]:
    """The numbers of every series."""
    return {
        (s.of.name, s.labels): s.words[s.at : s.at + s.of.width].tolist()
        for s in contents.every_series()
    }


def read(path: Path) -> WorkerFile:
    """A file, read once."""
    contents = WorkerFile(path)
    contents.read()
    return contents


def record(worker: Worker, series: int = 3) -> None:
    """Record something of everything."""
    for number in range(series):
        worker.of(TILES).add(number + 1, style=f"s{number}")
        worker.of(DURATION).record(0.5, style=f"s{number}")
        worker.of(ZOOM).set(number, style=f"s{number}")


@pytest.fixture
def workers_file(hire: Hiring, numbers: Path) -> bytes:
    """The file of a worker that has died."""
    worker = hire()
    record(worker)
    (path,) = numbers.glob("*.worker")
    return path.read_bytes()


@pytest.fixture
def totals_file(hire: Hiring, numbers: Path) -> bytes:
    """Totals."""
    worker = hire()
    record(worker)
    worker.die()
    hire().view.refresh()
    return (numbers / "totals").read_bytes()


class TestRead:
    def test_grows(self, hire: Hiring, numbers: Path) -> None:
        """What is added later is read later, however the file has grown meanwhile."""
        worker = hire()
        worker.of(TILES).add(1, style="first")
        (path,) = numbers.glob("*.worker")
        contents = read(path)
        before = len(what(contents))
        for number in range(1500):
            worker.of(TILES).add(1, style=f"{number:0100}")
            if number % 100 == 0:
                contents.read()
        contents.read()

        assert (1, 1501) == (before, len(what(contents)))
        assert contents.damage is None
        assert {1.0} == {value for (value,) in what(contents).values()}

    def test_live(self, hire: Hiring, numbers: Path) -> None:
        """What was read once shows the numbers of now."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        (path,) = numbers.glob("*.worker")
        contents = read(path)
        worker.of(TILES).add(1, style="a")

        assert {("atlas.tiles", ("a",)): [2.0]} == what(contents)

    def test_gone(self, hire: Hiring, numbers: Path) -> None:
        """A file that is gone can still be looked at by whoever has read it."""
        worker = hire()
        worker.of(TILES).add(1, style="a")
        (path,) = numbers.glob("*.worker")
        contents = read(path)
        path.unlink()

        assert {("atlas.tiles", ("a",)): [1.0]} == what(contents)
        with pytest.raises(FileNotFoundError):
            contents.read()


class TestDamage:
    @same_folder
    @given(data=st.data())
    def test_worker_flipped(self, workers_file: bytes, tmp_path: Path, data: st.DataObject) -> None:
        """One flipped byte of a worker's file costs what it belongs to, and no more than the rest.

        Numbers themselves change all the time, so nothing can tell a flipped one.
        """
        file = bytearray(workers_file)
        used = len(workers_file.rstrip(b"\0")) + 32
        file[data.draw(st.integers(0, used))] ^= data.draw(st.integers(1, 255))
        path = tmp_path / "flipped"
        path.write_bytes(file)
        (tmp_path / "whole").write_bytes(workers_file)

        assert set(what(read(path))) <= set(what(read(tmp_path / "whole")))

    @same_folder
    @given(data=st.data())
    def test_totals_flipped(self, totals_file: bytes, tmp_path: Path, data: st.DataObject) -> None:
        """One flipped byte of the totals is noticed or harmless; what is read is as it was."""
        file = bytearray(totals_file)
        file[data.draw(st.integers(0, len(file) - 1))] ^= data.draw(st.integers(1, 255))
        path = tmp_path / "flipped"
        path.write_bytes(file)
        (tmp_path / "whole").write_bytes(totals_file)
        found, whole = read(path), what(read(tmp_path / "whole"))

        assert what(found).items() <= whole.items()
        assert found.damage is not None or what(found) == whole

    @same_folder
    @given(data=st.data())
    def test_cut(
        self, workers_file: bytes, totals_file: bytes, tmp_path: Path, data: st.DataObject
    ) -> None:
        """A file that ends too early is noticed, and what it still holds is read."""
        file = data.draw(st.sampled_from([workers_file, totals_file]))
        path = tmp_path / "cut"
        path.write_bytes(file[: data.draw(st.integers(0, len(file) - 1))])
        (tmp_path / "whole").write_bytes(file)
        found = read(path)

        assert found.damage is not None
        assert what(found).items() <= what(read(tmp_path / "whole")).items()

    @same_folder
    @given(garbage=st.binary(max_size=400))
    def test_garbage(self, tmp_path: Path, garbage: bytes) -> None:
        """A file of something else is damaged, and nothing is read from it."""
        path = tmp_path / "garbage"
        path.write_bytes(garbage)
        found = read(path)

        assert found.damage is not None
        assert {} == what(found)

    def test_later_version(self, workers_file: bytes, tmp_path: Path) -> None:
        """A file of another layout is not guessed at."""
        path = tmp_path / "later"
        path.write_bytes(workers_file[:8] + b"\2" + workers_file[9:])

        assert "version 2" in (read(path).damage or "")
