from __future__ import annotations

import fcntl
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.multiprocess.directory import Directory, is_alive, try_lock
from otel_meta.runtime.multiprocess.filesystem import check_filesystem
from otel_meta.runtime.multiprocess.workers import Workers
from tests.conftest import Run

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
        Directory(tmp_path / "a" / "b").create()

        assert (tmp_path / "a" / "b").is_dir()

    def test_file_is_refused(self, tmp_path: Path) -> None:
        """A path of a file is refused."""
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="file: File exists; set OTEL_META_MULTIPR"):
            Workers(tmp_path / "file", "maps", "")

    def test_uncreatable_directory_is_refused(self) -> None:
        """The error for a directory that cannot be created names the setting to change."""
        with pytest.raises(ConfigurationError, match=re.escape("set OTEL_META_MULTIPROCESS_DIR")):
            Workers(Path("/proc/otel_meta"), "maps", "")


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
    def test_second_holder_is_told_at_once(self, tmp_path: Path) -> None:
        """An attempt to take a held lock ends at once, without the lock."""
        directory = Directory(tmp_path)
        with directory.try_locked() as first, directory.try_locked() as second:
            assert (True, False) == (first, second)

    def test_patient_holder_waits(self, tmp_path: Path) -> None:
        """With patience, an attempt waits until the first holder releases the lock."""
        directory = Directory(tmp_path)
        fd = os.open(tmp_path, os.O_RDONLY)
        assert try_lock(fd)
        Timer(0.05, os.close, [fd]).start()
        with directory.try_locked(patience=60) as is_locked:
            assert is_locked

    @FORKS
    def test_fork_does_not_wait_for_lock(self, tmp_path: Path) -> None:
        """A fork while another thread holds the lock takes no time, and the child has no lock."""
        directory = Directory(tmp_path)
        entered, leave = Event(), Event()

        def hold() -> None:
            with directory.try_locked():
                entered.set()
                leave.wait()

        thread = Thread(target=hold)
        thread.start()
        entered.wait()
        parent_closed, keep_open = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(keep_open)
            os.read(parent_closed, 1)  # until the parent closes its end
            os._exit(0)
        leave.set()
        thread.join()
        with Directory(tmp_path).try_locked() as is_locked:
            pass
        os.close(keep_open)
        os.close(parent_closed)

        assert is_locked
        assert 0 == os.waitpid(child, 0)[1]

    @FORKS
    def test_killed_parents_lock_is_free(self, tmp_path: Path) -> None:
        """The lock of a killed process is free, although a child of it runs."""
        told, tell = os.pipe()
        parent_closed, keep_open = os.pipe()
        parent = os.fork()
        if parent == 0:
            os.close(keep_open)
            with Directory(tmp_path).try_locked():
                if os.fork() == 0:
                    os.write(tell, b"x")
                    os.read(parent_closed, 1)
                else:
                    signal.pause()
            os._exit(0)
        os.read(told, 1)
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        with Directory(tmp_path).try_locked() as is_locked:
            pass
        for fd in (told, tell, parent_closed, keep_open):
            os.close(fd)

        assert is_locked

    def test_released_lock_is_free_after_fork_in_c(
        self, script: Callable[..., Run], tmp_path: Path
    ) -> None:
        """A released lock is free although C code forked, without Python's hooks."""
        run = script(FORK_IN_C, FOLDER=str(tmp_path))

        assert "True\n" == run.stdout


FORK_IN_C = """
import ctypes, os
from pathlib import Path
from otel_meta.runtime.multiprocess.directory import Directory

directory = Directory(Path(os.environ["FOLDER"]))
parent_closed, keep_open = os.pipe()
with directory.try_locked():
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        os.close(keep_open)
        os.read(parent_closed, 1)
        os._exit(0)
with directory.try_locked() as is_locked:
    print(is_locked)
os.close(keep_open)
os.waitpid(child, 0)
"""


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

    def test_observers_do_not_take_each_other_for_the_worker(self, tmp_path: Path) -> None:
        """A dead worker is dead while another process asks the same."""
        path = tmp_path / "file"
        fd = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(fd, fcntl.LOCK_SH)
        alive = is_alive(path)
        os.close(fd)

        assert not alive

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
