"""Notes about processes with numbers that no worker file has.

A note is a small file, named after its process. Its creation needs no space for numbers, so it
usually succeeds on a full disk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import suppress_faults

from .directory import Directory, try_lock

NoteKind = Literal["private", "refused"]
"""The kinds of notes.

- "private": a process has numbers in private memory. The process holds the lock of the note.
- "refused": a process of another service was refused. The text names the service.
"""


class PrivateNote:
    """The note of this process while it has private numbers.

    Args:
        directory: the multiprocess directory.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory: Final = directory
        self._written: tuple[int, Path] | None = None
        reset_after_fork(self)

    @property
    def is_written(self) -> bool:
        """True if other processes can see the note."""
        return self._written is not None and self._written[1].exists()

    def write(self) -> None:
        """Write the note if it is missing and the directory allows it."""
        if not self.is_written:
            self.close()
            with suppress_faults(OSError):
                self._written = _create_locked(self._directory, "private")

    def remove(self) -> None:
        """Remove the note: other processes can see all numbers of this process."""
        if self._written is not None:
            with suppress_faults(OSError):
                self._written[1].unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Leave the note to other processes, which report that the private numbers are lost."""
        if self._written is not None:
            os.close(self._written[0])
            self._written = None

    def after_fork(self) -> None:
        """Close the lock of the parent's note in a forked child."""
        self.close()


def write_refusal(directory: Directory, text: str) -> None:
    """Tell the service that owns the directory about a process of another service."""
    with suppress_faults(OSError):
        path = directory.new_path()
        path.write_text(text)
        path.replace(directory.new_note_path("refused"))


def pid_of(note: Path) -> str:
    """Return the process id in the name of a note."""
    return note.name.partition("-")[0]


def _create_locked(directory: Directory, kind: NoteKind) -> tuple[int, Path]:
    path = directory.new_path()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        try_lock(fd)
        path = path.replace(directory.new_note_path(kind))
    except OSError:
        os.close(fd)
        raise
    return fd, path
