"""The multiprocess directory: paths of its files, the directory lock and the locks of workers.

The package's docstring explains both locks.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults

from .filesystem import check_filesystem, open_to_read

if sys.platform != "win32":
    import fcntl

TOTALS: Final = "totals"
_WORKER_SUFFIX: Final = ".worker"
_SCRAPES: Final = "scrapes"
_NEW: Final = "new"
_NEW_SUFFIX: Final = ".new"
_NEW_LIFETIME: Final = 60.0
"""Seconds after which a file under construction belongs to a process that ended meanwhile."""
_DAMAGED: Final = "damaged"
_POLL_INTERVAL: Final = 0.002
"""Seconds between two attempts to lock."""


class Directory:
    """The directory of one service.

    Args:
        path: the directory, created by `create`.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._lock_fds: Final = set[int]()
        reset_after_fork(self)

    def create(self) -> None:
        """Create the directory if it is missing.

        Raises:
            OSError: the directory cannot be created.
            ConfigurationError: the directory can never be used.
        """
        _check_platform()
        self.path.mkdir(parents=True, exist_ok=True)
        check_filesystem(self.path)

    @contextmanager
    def try_locked(self, patience: float = 0.0) -> Generator[bool]:
        """Lock the directory, unless another process or thread holds its lock.

        Args:
            patience: seconds to wait for the other process; by default there is no wait.

        Yields:
            True if the lock is held.

        Raises:
            OSError: the directory cannot be opened.
        """
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self._lock_fds.add(fd)
        try:
            yield _try_lock_until(fd, time.monotonic() + patience)
        finally:
            if fd in self._lock_fds:  # not in a child forked inside the block
                self._lock_fds.discard(fd)
                # Closing is not enough: C code may have forked, without Python's hooks.
                fcntl.flock(fd, fcntl.LOCK_UN)
                os.close(fd)

    def after_fork(self) -> None:
        """Close the locks of the parent's threads, which the parent continues to hold."""
        while self._lock_fds:
            os.close(self._lock_fds.pop())

    def worker_files(self) -> Iterator[Path]:
        """Iterate over the files of all workers, living and dead."""
        return self._files(_WORKER_SUFFIX)

    @property
    def totals(self) -> Path:
        """Path of the totals file."""
        return self.path / TOTALS

    @property
    def new(self) -> Path:
        """Path of a file under construction. Use it with the directory lock."""
        return self.path / _NEW

    @property
    def scrapes(self) -> Path:
        """Path of the times of the last scrapes, see `otel_meta.runtime.births`."""
        return self.path / _SCRAPES

    def new_worker_path(self, pid: int) -> Path:
        """Return a path for a worker file. No file has ever had its name."""
        return self._unique_path(pid, _WORKER_SUFFIX)

    def new_path(self) -> Path:
        """Return a path for a file under construction. Use it without the directory lock."""
        return self._unique_path(os.getpid(), _NEW_SUFFIX)

    def notes(self, kind: str) -> Iterator[Path]:
        """Iterate over the notes of a kind; see the module `notes`."""
        return self._files(f".{kind}")

    def new_note_path(self, kind: str) -> Path:
        """Return a path for a note of this process."""
        return self._unique_path(os.getpid(), f".{kind}")

    def _unique_path(self, pid: int, suffix: str) -> Path:
        return self.path / f"{pid}-{os.urandom(8).hex()}{suffix}"

    def _files(self, suffix: str) -> Iterator[Path]:
        names = sorted(os.listdir(self.path))  # noqa: PTH208  # a third of the time of iterdir
        return (self.path / name for name in names if name.endswith(suffix))

    def move_to_damaged(self, path: Path) -> None:
        """Move a damaged file to ``damaged/latest``, and replace the previous file there."""
        damaged = self.path / _DAMAGED
        try:
            damaged.mkdir(exist_ok=True)
            path.replace(damaged / "latest")
        except OSError as error:
            reraise_interruption(error)
            path.unlink(missing_ok=True)

    def link_to_damaged(self, path: Path) -> None:
        """Link a damaged file as ``damaged/latest``, and leave the file in place."""
        damaged = self.path / _DAMAGED
        with suppress_faults(OSError):
            damaged.mkdir(exist_ok=True)
            (damaged / "latest").unlink(missing_ok=True)
            (damaged / "latest").hardlink_to(path)

    def remove_new(self) -> None:
        """Remove unfinished files of ended processes. Call it with the directory lock."""
        with suppress_faults(OSError):
            self.new.unlink(missing_ok=True)
            for path in self._files(_NEW_SUFFIX):
                if path.stat().st_mtime + _NEW_LIFETIME < time.time():
                    path.unlink(missing_ok=True)


def _try_lock_until(fd: int, deadline: float) -> bool:
    while not try_lock(fd):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_INTERVAL)
    return True


def try_lock(fd: int) -> bool:
    """Lock an open file. Return False if another open file description holds the lock.

    The lock ends when all duplicates of the file descriptor are closed.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        reraise_interruption(error)
        return False
    return True


def is_alive(path: Path) -> bool:
    """Return True if a process holds the lock of a worker file or of a note.

    Raises:
        OSError: the file cannot be opened.
    """
    fd = open_to_read(path)
    try:
        # Shared: of two processes that ask at the same time, neither takes the other for the owner.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        reraise_interruption(error)
        return True
    else:
        return False
    finally:
        os.close(fd)


def _check_platform() -> None:
    if sys.platform == "win32":
        raise ConfigurationError(
            "workers cannot share metrics on this platform, which has no flock; "
            "unset OTEL_META_MULTIPROCESS_DIR, and export from each worker by OTLP"
        )


def directory_error(path: Path, error: OSError) -> ConfigurationError:
    """Return the error for a directory that cannot be used."""
    return ConfigurationError(
        f"workers cannot share metrics in {path}: {error.strerror or error}; "
        "set OTEL_META_MULTIPROCESS_DIR to a directory on a local disk or in memory, "
        "writable for the service, such as /dev/shm/my-service"
    )
