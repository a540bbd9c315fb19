"""The directory that the workers of one service share, and who lives in it.

A worker lives as long as somebody holds the lock on its file, which the kernel lets go of however
the process ends, and whoever has its number next. Whoever adds, folds or counts files holds the
lock on the directory itself, so no file is needed for that.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final

from otel_meta.errors import ConfigurationError

from .filesystem import check_filesystem

if sys.platform != "win32":
    import fcntl

TOTALS: Final = "totals"
_SUFFIX: Final = ".worker"
_NEW: Final = "new"
_DAMAGED: Final = "damaged"
_PATIENCE: Final = 5.0
"""Seconds to wait for the directory; it is held for milliseconds, unless its holder was stopped."""
_STEP: Final = 0.002

fork_guard: Final = RLock()
"""Held with the lock on a directory: a child forked meanwhile would keep that lock for good."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=fork_guard.acquire,
        after_in_parent=fork_guard.release,
        after_in_child=fork_guard.release,
    )


class Directory:
    """Where the files are.

    Args:
        path: the directory, made if it is missing.
        patience: seconds to wait for another worker that holds it.

    Raises:
        ConfigurationError: it cannot be used: the message says why, and what to do.
    """

    def __init__(self, path: Path, patience: float = _PATIENCE) -> None:
        self.path: Final = path
        self._patience: Final = patience
        self._is_held = False
        _check(path)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Have it to oneself.

        Raises:
            OSError: it is gone; TimeoutError, somebody else has held it for too long.
        """
        with fork_guard:
            if self._is_held:
                raise BlockingIOError(f"a signal came while {self.path} was looked at")
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            self._is_held = True
            try:
                self._wait_for(descriptor)
                yield
            finally:
                self._is_held = False
                # Not by closing alone, in case that somebody forked in C.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def workers(self) -> Iterator[Path]:
        """The files of workers, living and dead."""
        names = sorted(os.listdir(self.path))  # noqa: PTH208  # a third of the time of iterdir
        return (self.path / name for name in names if name.endswith(_SUFFIX))

    @property
    def totals(self) -> Path:
        """Where the totals of the dead are."""
        return self.path / TOTALS

    @property
    def new(self) -> Path:
        """Where a file is written before it gets its name."""
        return self.path / _NEW

    def name_for(self, pid: int) -> Path:
        """A name that no file has had."""
        return self.path / f"{pid}-{os.urandom(8).hex()}{_SUFFIX}"

    def set_aside(self, path: Path) -> None:
        """Keep a damaged file where it does not count, in the place of the one before."""
        aside = self.path / _DAMAGED
        try:
            aside.mkdir(exist_ok=True)
            path.replace(aside / "latest")
        except OSError:
            path.unlink(missing_ok=True)

    def keep_copy(self, path: Path) -> None:
        """Keep a damaged file as `set_aside` does, and leave it where it is."""
        aside = self.path / _DAMAGED
        with suppress(OSError):
            aside.mkdir(exist_ok=True)
            (aside / "latest").unlink(missing_ok=True)
            (aside / "latest").hardlink_to(path)

    def clear(self) -> None:
        """Remove a file that was never finished."""
        with suppress(OSError):
            self.new.unlink(missing_ok=True)

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._patience
        while not lock(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.path} has been held for {self._patience:g} s")
            time.sleep(_STEP)


def lock(descriptor: int) -> bool:
    """Lock an open file as long as it is open, if nobody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lives(path: Path) -> bool:
    """Whether the worker that writes a file is there.

    Raises:
        OSError: it cannot be told.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not lock(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path) -> None:
    if sys.platform == "win32":
        raise ConfigurationError(
            "workers cannot share their numbers on this platform, which has no flock; "
            "unset OTEL_META_MULTIPROCESS_DIR, and have each worker push its own by OTLP"
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise directory_error(path, error) from error
    check_filesystem(path)


def directory_error(path: Path, error: OSError) -> ConfigurationError:
    """What to say of a directory that does not work."""
    return ConfigurationError(
        f"workers cannot share their numbers in {path}: {error.strerror or error}; "
        "set OTEL_META_MULTIPROCESS_DIR to a directory on a local disk or in memory "
        "that the service can write to, such as /dev/shm/my-service"
    )
