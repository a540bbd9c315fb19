from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.multiprocess.directory import Directory, is_alive, try_lock
from otel_meta.runtime.multiprocess.filesystem import check_filesystem

FORKS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"  # of Python 3.12 and later
)


def mount_table(path: Path, filesystem: str) -> Path:
    """Write a mount table with the device of a directory, under a given file system."""
    status = path.stat()
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    mounts = path / "mountinfo"
    mounts.write_text(
        "22 1 0:99 / / rw - ext4 /dev/sda rw\n"
        f"23 22 {device} / /shared rw,relatime shared:1 - {filesystem} server:/ rw\n"
    )
    return mounts


class TestCreate:
    def test_missing_directory_is_created(self, tmp_path: Path) -> None:
        """A missing directory is created together with its parents."""
        Directory(tmp_path / "a" / "b")

        assert (tmp_path / "a" / "b").is_dir()

    def test_file_is_refused(self, tmp_path: Path) -> None:
        """A path of a file is refused."""
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="file: File exists; set OTEL_META_MULTIPR"):
            Directory(tmp_path / "file")

    def test_uncreatable_directory_is_refused(self) -> None:
        """The error for a directory that cannot be created names the setting to change."""
        with pytest.raises(ConfigurationError, match=re.escape("set OTEL_META_MULTIPROCESS_DIR")):
            Directory(Path("/proc/otel_meta"))


class TestFilesystem:
    def test_network_filesystem_is_refused(self, tmp_path: Path) -> None:
        """A network file system is refused."""
        mounts = mount_table(tmp_path, "nfs4")
        with pytest.raises(ConfigurationError, match=re.escape("on a network file system (nfs4)")):
            check_filesystem(tmp_path, mounts)

    def test_local_filesystem_is_accepted(self, tmp_path: Path) -> None:
        """A local file system is accepted."""
        check_filesystem(tmp_path, mount_table(tmp_path, "ext4"))

    def test_own_disk_is_accepted(self, tmp_path: Path) -> None:
        """The file system of this machine's temporary directory is accepted."""
        check_filesystem(tmp_path)

    def test_missing_mount_table_is_accepted(self, tmp_path: Path) -> None:
        """Every file system is accepted without a mount table."""
        check_filesystem(tmp_path, tmp_path / "missing")


class TestLocked:
    def test_second_holder_waits(self, tmp_path: Path) -> None:
        """A second process waits until the first releases the lock."""
        order: list[str] = []
        held, release = Event(), Event()

        def first() -> None:
            fd = os.open(tmp_path, os.O_RDONLY)
            assert try_lock(fd)
            held.set()
            release.wait()
            order.append("first")
            os.close(fd)

        thread = Thread(target=first)
        thread.start()
        held.wait()
        directory = Directory(tmp_path)
        Thread(target=release.set).start()
        with directory.locked():
            order.append("second")
        thread.join()

        assert ["first", "second"] == order

    def test_waiting_times_out(self, tmp_path: Path) -> None:
        """Waiting for a stopped holder ends with `TimeoutError`."""
        directory = Directory(tmp_path, lock_timeout=0.01)
        fd = os.open(tmp_path, os.O_RDONLY)
        assert try_lock(fd)
        with pytest.raises(TimeoutError, match=re.escape("locked for 0.01 s")), directory.locked():
            pass
        os.close(fd)

    @FORKS
    def test_forked_child_inherits_no_lock(self, tmp_path: Path) -> None:
        """A fork waits for the lock's holder, so the child neither has the lock nor misses it."""
        directory = Directory(tmp_path)
        entered, leave = Event(), Event()

        def hold() -> None:
            with directory.locked():
                entered.set()
                leave.wait()

        thread = Thread(target=hold)
        thread.start()
        entered.wait()
        Timer(0.1, leave.set).start()  # the fork is under way by then
        parent_closed, keep_open = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(keep_open)
            os.read(parent_closed, 1)  # until the parent closes its end
            signal.alarm(20)
            with Directory(tmp_path).locked():
                os._exit(0)
        thread.join()
        with Directory(tmp_path, lock_timeout=0.1).locked():
            pass
        os.close(keep_open)
        os.close(parent_closed)

        assert 0 == os.waitpid(child, 0)[1]


class TestFiles:
    def test_worker_is_alive_while_locked(self, tmp_path: Path) -> None:
        """A worker is alive exactly while its file is locked."""
        path = tmp_path / "file"
        fd = os.open(path, os.O_RDWR | os.O_CREAT)
        before = is_alive(path)
        try_lock(fd)
        during = is_alive(path)
        os.close(fd)

        assert (False, True, False) == (before, during, is_alive(path))

    def test_latest_damaged_file_is_kept(self, tmp_path: Path) -> None:
        """Of several damaged files the latest is kept."""
        directory = Directory(tmp_path)
        for text in ("one", "two"):
            (tmp_path / "file").write_text(text)
            directory.move_to_damaged(tmp_path / "file")

        assert ["two"] == [path.read_text() for path in (tmp_path / "damaged").iterdir()]

    def test_damaged_file_is_moved(self, tmp_path: Path) -> None:
        """A damaged file leaves its place."""
        (tmp_path / "file").write_text("one")
        Directory(tmp_path).move_to_damaged(tmp_path / "file")

        assert ["damaged"] == [path.name for path in tmp_path.iterdir()]

    def test_only_worker_files_are_listed(self, tmp_path: Path) -> None:
        """Totals and files of other programs are not listed as worker files."""
        directory = Directory(tmp_path)
        path = directory.new_worker_path(123)
        path.touch()
        directory.totals.touch()
        (tmp_path / "notes.txt").touch()

        assert [path] == list(directory.worker_files())

    def test_worker_file_begins_with_pid(self, tmp_path: Path) -> None:
        """The name of a worker file begins with the process id."""
        assert Directory(tmp_path).new_worker_path(123).name.startswith("123-")
