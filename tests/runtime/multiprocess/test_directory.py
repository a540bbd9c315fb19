from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.multiprocess.directory import Directory, lives, lock
from otel_meta.runtime.multiprocess.filesystem import check_filesystem

FORKS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"  # of Python 3.12 and later
)


class TestCheck:
    def test_missing(self, tmp_path: Path) -> None:
        """A directory that is missing is made, with those above it."""
        Directory(tmp_path / "a" / "b")

        assert (tmp_path / "a" / "b").is_dir()

    def test_file(self, tmp_path: Path) -> None:
        """A file is no directory."""
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="file: File exists; set OTEL_META_MULTIPR"):
            Directory(tmp_path / "file")

    def test_not_to_be_made(self) -> None:
        """A directory that cannot be made is an error that says why and what to do."""
        with pytest.raises(ConfigurationError, match=re.escape("set OTEL_META_MULTIPROCESS_DIR")):
            Directory(Path("/proc/otel_meta"))

    def test_network(self, tmp_path: Path) -> None:
        """Over a network nobody sees others' locks, so such a directory is refused."""
        status = tmp_path.stat()
        device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
        mounts = tmp_path / "mountinfo"
        mounts.write_text(
            "22 1 0:99 / / rw - ext4 /dev/sda rw\n"
            f"23 22 {device} / /shared rw,relatime shared:1 - nfs4 server:/ rw\n"
        )
        with pytest.raises(ConfigurationError, match=re.escape("on a network (nfs4)")):
            check_filesystem(tmp_path, mounts)

    def test_local(self, tmp_path: Path) -> None:
        """This machine's own disk will do, and one that nothing is known of."""
        check_filesystem(tmp_path)
        check_filesystem(tmp_path, tmp_path / "missing")


class TestLocked:
    def test_one_at_a_time(self, tmp_path: Path) -> None:
        """While one has the directory, another waits."""
        done: list[str] = []
        held, waited = Event(), Event()

        def other() -> None:
            descriptor = os.open(tmp_path, os.O_RDONLY)
            assert lock(descriptor)
            held.set()
            waited.wait()
            done.append("first")
            os.close(descriptor)

        thread = Thread(target=other)
        thread.start()
        held.wait()
        directory = Directory(tmp_path)
        Thread(target=waited.set).start()
        with directory.locked():
            done.append("second")
        thread.join()

        assert ["first", "second"] == done

    def test_impatient(self, tmp_path: Path) -> None:
        """Who holds it for too long, stopped perhaps, does not stop the others."""
        directory = Directory(tmp_path, patience=0.01)
        descriptor = os.open(tmp_path, os.O_RDONLY)
        assert lock(descriptor)
        with pytest.raises(TimeoutError, match=re.escape("held for 0.01 s")), directory.locked():
            pass
        os.close(descriptor)

    @FORKS
    def test_forked(self, tmp_path: Path) -> None:
        """A child that is forked meanwhile neither has the lock nor waits for it in vain."""
        directory = Directory(tmp_path)
        entered, leaving = Event(), Event()

        def hold() -> None:
            with directory.locked():
                entered.set()
                leaving.wait()

        thread = Thread(target=hold)
        thread.start()
        entered.wait()
        Timer(0.2, leaving.set).start()  # once the fork is under way
        ended, ending = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ending)
            os.read(ended, 1)  # until the parent closes its end
            signal.alarm(20)
            with Directory(tmp_path).locked():
                os._exit(0)
        thread.join()
        with Directory(tmp_path, patience=0.1).locked():
            pass
        os.close(ending)
        os.close(ended)

        assert 0 == os.waitpid(child, 0)[1]


class TestFiles:
    def test_lives(self, tmp_path: Path) -> None:
        """A file's owner lives as long as it holds its lock."""
        path = tmp_path / "file"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        unlocked = lives(path)
        lock(descriptor)
        locked = lives(path)
        os.close(descriptor)

        assert (False, True, False) == (unlocked, locked, lives(path))

    def test_set_aside(self, tmp_path: Path) -> None:
        """Of the files that are set aside, the latest is kept."""
        directory = Directory(tmp_path)
        for text in ("one", "two"):
            (tmp_path / "file").write_text(text)
            directory.set_aside(tmp_path / "file")

        assert ["damaged"] == [path.name for path in tmp_path.iterdir()]
        assert ["two"] == [path.read_text() for path in (tmp_path / "damaged").iterdir()]

    def test_workers(self, tmp_path: Path) -> None:
        """Nothing counts but files of workers."""
        directory = Directory(tmp_path)
        path = directory.name_for(123)
        path.touch()
        directory.totals.touch()
        (tmp_path / "notes.txt").touch()

        assert [path] == list(directory.workers())
        assert path.name.startswith("123-")
