"""Marks in a file, for series of all workers of a service: any worker may answer a scrape."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import Final

from otel_meta.runtime.interruption import suppress_faults

from .collection_marks import LocalMarks, Marks

_FORMAT: Final = Struct("=qq")


class SharedMarks:
    """Marks in a file of 16 bytes.

    The file takes no lock, because a stopped worker would hold it. Of two scrapes at the same time,
    either may write last; each wrote times of real collections. A file that is missing, or cannot
    be read or written, is replaced by the marks that this worker knows. Only workers that know
    different marks for that reason may show a series with its value, and then at zero.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._known: Final = LocalMarks()
        self._in_file: Marks | None = None

    def read(self) -> Marks:
        """Return the later marks of the file and of this worker."""
        self._in_file = None
        with suppress_faults(OSError), self._opened(os.O_RDONLY) as fd:
            content = os.pread(fd, _FORMAT.size, 0)
            if len(content) == _FORMAT.size:
                self._in_file = Marks(*_FORMAT.unpack(content))
                self._known.keep(self._in_file)
        return self._known.read()

    def keep(self, marks: Marks) -> None:
        """Write marks unless the file has them."""
        self._known.keep(marks)
        marks = self._known.read()
        if marks != self._in_file:
            with suppress_faults(OSError), self._opened(os.O_WRONLY | os.O_CREAT) as fd:
                os.pwrite(fd, _FORMAT.pack(*marks), 0)

    @contextmanager
    def _opened(self, flags: int) -> Generator[int]:
        fd = os.open(self._path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        try:
            yield fd
        finally:
            os.close(fd)
