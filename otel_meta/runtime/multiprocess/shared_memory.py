"""Numbers of this process where every worker of the service can read them."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, MutableSequence
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from typing import Final, cast

from otel_meta.errors import ConfigurationError
from otel_meta.model import Instrument
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.memory import zeros

from .directory import Directory, directory_error
from .process_identity import started_ticks
from .reader import Owner
from .scanner import DirectoryScanner
from .writer import WorkerFileWriter, create, try_out

_PAUSE: Final = 10.0
"""Seconds until a process asks again for a file that it could not have."""


class SharedMemoryAllocator:
    """Hands out numbers in a file of this process; in a forked child, in one of the child's own.

    The file is made with the first series. A master that only forks workers has none.

    Args:
        directory: where the workers' files are.
        owner: whose numbers they are.
        survey: what has been seen there.
        max_series: how many series a metric may have.

    Raises:
        ConfigurationError: the directory cannot be written to, or belongs to another service.
    """

    def __init__(
        self,
        directory: Directory,
        owner: Owner,
        survey: DirectoryScanner,
        max_series: int = MAX_SERIES,
    ) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._survey: Final = survey
        self._max_series: Final = max_series
        self._lock = RLock()
        self._is_writing = False
        self._pid = os.getpid()
        self._file: WorkerFileWriter | None = None
        self._refused: tuple[float, OSError] | None = None
        self._closed = False
        for other in survey.others():
            raise ConfigurationError(
                f"{directory.path} holds the numbers of {other.service!r} "
                f"in {other.namespace!r}; give each service a directory of its own"
            )
        try:
            with directory.locked():
                try_out(directory)
        except OSError as error:
            raise directory_error(directory.path, error) from error
        reset_after_fork(self)

    def allocate(
        self, instrument: Instrument[...], labels: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """So many doubles for the series with these label values in declared order, all zero.

        Raises:
            OSError: there is no place left, or the directory cannot be written to.
        """
        with self._writing():
            if self._closed:
                return zeros(width)
            file = self._file or self._opened()
            family = file.family(instrument, self._max_series)
            numbers = file.place(family, labels, width, urgent=instrument is FAULTS)
        return cast("MutableSequence[float]", numbers)  # without insert, which no cell calls

    def declare(self, instruments: Iterable[Instrument[...]]) -> None:
        """Say that this process has these instruments, whether or not it records anything.

        Raises:
            OSError: as `take` does.
        """
        with self._writing():
            if not self._closed:
                file = self._file or self._opened()
                for instrument in instruments:
                    file.family(instrument, self._max_series)

    def publish_port(self, number: int) -> None:
        """Say that this process listens on a port; its file is there then."""
        with self._writing():
            (self._file or self._opened()).publish_port(number)

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Take back the numbers of a series that was removed; nothing writes to them any more."""
        with self._writing():
            if self._file is not None:
                self._file.free(self._file.family(instrument, self._max_series), labels)

    def close(self) -> None:
        """Let go of the file. Its numbers are folded by whoever looks next."""
        with self._lock:
            self._closed = True
            self._forget()

    def after_fork(self) -> None:
        """Forget the parent's file. In a forked child, where no other thread is left."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = RLock()
            self._is_writing = False
            self._forget()

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Have the file to oneself.

        Raises:
            BlockingIOError: this is a signal handler, and it has interrupted a writer.
        """
        self.after_fork()  # whoever else begins anew in a child may come first
        with self._lock:
            if self._is_writing:
                raise BlockingIOError("a signal came while a series was added")
            self._is_writing = True
            try:
                yield
            finally:
                self._is_writing = False

    def _forget(self) -> None:
        if self._file is not None:
            self._file.leave()
            self._file = None

    def _opened(self) -> WorkerFileWriter:
        """A file of this process' own. If there is none to be had, it asks again after a while."""
        if self._refused is not None and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        try:
            return self._open()
        except OSError as error:
            self._refused = (time.monotonic() + _PAUSE, error)
            raise

    def _open(self) -> WorkerFileWriter:
        """Make a file of this process' own."""
        with self._directory.locked():
            look = self._survey.look_within_lock()
            used = {c.owner.slot for c in look.living if c.owner is not None}
            owner = replace(
                self._owner,
                pid=os.getpid(),
                ticks=started_ticks(os.getpid()),
                slot=next(n for n in range(len(used) + 1) if n not in used),
            )
            self._file = create(self._directory, owner)
        return self._file
