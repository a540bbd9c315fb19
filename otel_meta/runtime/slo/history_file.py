"""The file of a service's SLO histories, which one process at a time writes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.faults import OnFault

from .history_lines import DamageError, SavedHistories, header, slo_line, step_line
from .past import Moment
from .saved_slo import Key, SavedSlo

if sys.platform != "win32":
    import fcntl

SOURCE: Final = "SLO history"
"""Source of the faults of the file."""
LEAST_GROWTH: Final = 64 * 1024
"""Bytes that a file grows by, at least, before it is written anew."""


class HistoryFile:
    """Reads and writes the history of a service's SLOs. Not thread-safe.

    The lock is a file beside it, because the history is replaced as a whole: the new file is
    complete on the disk before it has the name. The kernel releases the lock at the end of the
    process, SIGKILL included.

    Args:
        path: path of the file.
        service: namespace and name of the service.
        on_fault: called with the source, the reason and the details of each fault.
        origins: returns the names of the directories whose series this process counts, if other
            processes of the service count the same series.

    Raises:
        ConfigurationError: the platform has no `flock`.
    """

    def __init__(
        self,
        path: Path,
        service: Sequence[str],
        on_fault: OnFault,
        origins: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        if sys.platform == "win32":
            raise ConfigurationError(
                f"the history of SLOs cannot be kept in {path}: this platform has no flock; "
                "leave out slo_path and OTEL_META_SLO_PATH"
            )
        # A link stays one: its target is replaced.
        self.path: Final = Path(os.path.realpath(path)) if path.is_symlink() else path
        self._service: Final = service
        self._on_fault: Final = on_fault
        self.origins: Final = origins
        self.is_taken = False
        """True if another process writes the file."""
        self._lock: int | None = None
        self._out: int | None = None
        self._keys: list[Key] | None = None
        self._forget()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Leave lock and file to the parent: the child has duplicates of both descriptors."""
        for fd in (self._lock, self._out):
            if fd is not None:
                os.close(fd)
        self._lock = None
        self._forget()

    @property
    def is_owner(self) -> bool:
        """True if this process writes the file."""
        return self._lock is not None

    def acquire(self) -> bool:
        """Become the process that writes the file, unless another process of the service is."""
        self.is_taken = False
        try:
            self._refuse_others()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            reraise_interruption(error)
            self._report("lock", f"cannot lock {self.path}", error)
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            reraise_interruption(error)
            self.is_taken = error.errno == errno.EWOULDBLOCK
            if not self.is_taken:
                self._report("lock", f"cannot lock {self.path}", error)
            return False
        self._lock = fd
        self._forget()
        return True

    def release(self) -> None:
        """Let another process write the file."""
        if self._lock is not None:
            self._close()
            fd, self._lock = self._lock, None
            # Closing is not enough: C code may have forked, without Python's hooks.
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def read(self, moment: Moment) -> dict[Key, SavedSlo] | None:
        """Return the saved SLOs; None if there is nothing new since the last call.

        The process that writes the file sets a damaged file aside, and goes on with the lines
        before the damage.
        """
        try:
            data = self._new_data()
        except FileNotFoundError as error:
            reraise_interruption(error)
            return None
        except OSError as error:
            reraise_interruption(error)
            self._report("unreadable file", f"cannot read {self.path}", error)
            return None
        return self._read(data, moment) if data else None

    def save(self, slos: Sequence[SavedSlo], idle: Iterable[SavedSlo], moment: Moment) -> None:
        """Write the newest sample of each SLO.

        Args:
            slos: the SLOs of this process.
            idle: further SLOs of the service, which this process does not count.
            moment: the present moment.
        """
        if not _is_at(self._lock, self._beside("lock")):
            self.release()  # the lock was removed: another process may have made a new one
            return
        step = step_line(slos, moment, self.origins())
        keys = [saved.key for saved in slos]
        try:
            if self._is_full or keys != self._keys or not _is_at(self._out, self.path):
                lines = [header(self._service), *map(slo_line, (*slos, *idle)), step]
                self._replace(b"".join(lines))
                self._keys = keys
            else:
                self._append(step)
        except OSError as error:
            self._keys = None  # the last line may be incomplete
            reraise_interruption(error)
            self._report("write", f"cannot write {self.path}", error)

    def _forget(self) -> None:
        self._saved = SavedHistories(self._service)
        self._inode: int | None = None
        self._offset = 0
        self._out, self._keys = None, None
        self._size = self._written = 0

    def _new_data(self) -> bytes:
        """Return the complete lines since the last call."""
        with self.path.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            if inode != self._inode:
                self._inode, self._offset = inode, 0
                self._saved = SavedHistories(self._service)
            file.seek(self._offset)
            data = file.read()
        # A line without an end is being written, or was when its process was killed.
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        return complete if complete or not data else data

    def _refuse_others(self) -> None:
        """Refuse a path of something else than a file: a pipe would block, a device never end."""
        if self.path.exists() and not self.path.is_file():
            raise OSError(errno.EINVAL, "is no regular file")

    def _read(self, data: bytes, moment: Moment) -> dict[Key, SavedSlo]:
        try:
            self._saved.read(data, moment)
        except DamageError as error:
            if self.is_owner:
                self._set_aside(error, moment)
        return self._saved.slos()

    def _set_aside(self, damage: DamageError, moment: Moment) -> None:
        aside = self._beside(f"damaged-{moment.wall:.0f}")
        kept = len(self._saved.slos())
        detail = f"{self.path} is now {aside}: {damage}; {kept} SLOs go on with what was before"
        try:
            self.path.replace(aside)
        except OSError as error:
            reraise_interruption(error)
            detail = f"{self.path} is written anew: {damage}"
        self._on_fault(SOURCE, "damaged file", detail)

    @property
    def _is_full(self) -> bool:
        return self._written > max(self._size, LEAST_GROWTH)

    def _replace(self, data: bytes) -> None:
        self._close()
        new = self._beside("new")
        out = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._out = out
        _write(out, data)
        new.replace(self.path)
        _sync_directory(self.path.parent)
        self._size, self._written = len(data), 0

    def _append(self, data: bytes) -> None:
        if self._out is not None:
            _write(self._out, data)
            self._written += len(data)

    def _close(self) -> None:
        if self._out is not None:
            os.close(self._out)
            self._out = None

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    def _report(self, reason: str, what: str, error: OSError) -> None:
        reraise_interruption(error)
        self._on_fault(SOURCE, reason, f"{what}: {error.strerror or error}")


def _is_at(fd: int | None, path: Path) -> bool:
    """Return True if an open file is still the file of this path."""
    with suppress_faults(FileNotFoundError):
        return fd is not None and os.path.samestat(path.stat(), os.fstat(fd))
    return False


def _write(fd: int, data: bytes) -> None:
    """Write all data to the disk.

    Raises:
        OSError: the disk is full, or broken.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
