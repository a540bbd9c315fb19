"""Allocator of numbers in a memory-mapped file, which every worker of the service can read."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final, cast

from otel_meta.model import Instrument
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.cells import Numbers
from otel_meta.runtime.recording.memory import InterruptedAllocation, Placeable, zeros

from .directory import Directory
from .notes import PrivateNote, write_refusal
from .ownership import OtherServiceError, claim, living_workers
from .process_identity import start_ticks
from .reader import Owner
from .writer import MappedRecord, WorkerFileWriter, create_worker_file

RETRY_DELAY: Final = 1.0
"""Seconds between two attempts to create the file of a process for a new series."""

_Key = tuple[Instrument[...], tuple[str, ...]]


@dataclass(slots=True)
class _Series:
    """A series of this process, and its record once it has one."""

    cell: Placeable
    place: tuple[WorkerFileWriter, int, MappedRecord] | None = None
    """The file, the position of the descriptor, and the record."""


class SharedMemoryAllocator:
    """Places series in the worker file of this process. A forked child has a file of its own.

    The file is created with the first series. A master process without metrics has no file.

    A series without space, or without a file, stays in private memory. `settle` moves it later.
    No method waits for another process.

    Args:
        directory: the multiprocess directory.
        owner: this process.
        max_series: cardinality limit of a metric.
    """

    def __init__(self, directory: Directory, owner: Owner, max_series: int = MAX_SERIES) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._max_series: Final = max_series
        self._lock: Final = ForkSafeLock()
        self._note: Final = PrivateNote(directory)
        self._pid = os.getpid()
        self._file: WorkerFileWriter | None = None
        self._port = 0
        self._closed = False
        self._was_refused = False
        self._faults: list[tuple[str, str]] = []
        self._forget()
        reset_after_fork(self)

    def _forget(self) -> None:
        self._is_writing = False
        self._series: dict[_Key, _Series] = {}
        self._private: dict[_Key, None] = {}
        """Keys of the series in private memory, or in a file that left the directory."""
        self._removed: list[_Series] = []
        self._last_failure: tuple[float, OSError] | None = None

    @property
    def is_private(self) -> bool:
        """True if this process has series that no other process can see."""
        return bool(self._private)

    @property
    def is_noted(self) -> bool:
        """True if other processes can see that this process has private series."""
        return self._note.is_written

    def zeros(self, width: int) -> Numbers:
        """Return a buffer in private memory."""
        return zeros(width)

    def place(self, instrument: Instrument[...], series: Placeable) -> None:
        """Move the numbers of a series to the file, or keep them for a later move.

        Raises:
            OSError: the numbers stay in private memory for now.
        """
        self.after_fork()  # the fork hook of another object may record before ours runs
        if self._closed:
            return
        key = (instrument, series.labels)
        known = self._series.get(key)
        if known is None or known.cell is not series:
            self._series[key] = _Series(series)
            self._private[key] = None
        with self._writing():
            self._try_to_share(key)

    def declare(self, instruments: Iterable[Instrument[...]]) -> None:
        """Write the descriptors of instruments, so the service shows them before any series.

        Raises:
            OSError: the disk is full, or the directory is not writable.
        """
        with self._writing():
            if not self._closed:
                file = self._file or self._open_file()
                for instrument in instruments:
                    file.descriptor_index(instrument, self._max_series)

    def publish_port(self, port: int) -> None:
        """Store the port of this process' metrics server, 0 without a server. Creates the file.

        Raises:
            OSError: there is no file yet, which will have the port.
        """
        self._port = port
        with self._writing():
            (self._file or self._open_file()).publish_port(port)

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Free the numbers of a removed series. No cell writes to them any more."""
        series = self._series.pop((instrument, labels), None)
        if series is not None:
            self._removed.append(series)
            with suppress(InterruptedAllocation), self._writing():
                self._free_removed()

    def settle(self) -> None:
        """Move all private series to the file, if there is one or if it can be created now.

        If the file was removed from the directory, all series move to a new one.
        """
        with suppress_faults(OSError):  # until the next call
            with self._writing():
                self._leave_removed_file()
                self._free_removed()
                if self._file is not None and not self._file.has_number:
                    self._publish_number(self._file)
                self._last_failure = None
            for key in list(self._private):
                with self._writing():  # for one series: a new series does not wait for all
                    self._try_to_share(key)
            with self._writing():
                if not self._private:
                    self._note.remove()

    def take_faults(self) -> Iterator[tuple[str, str]]:
        """Return the faults since the last call: pairs of a reason and details."""
        found, self._faults = self._faults, []
        return iter(found)

    def close(self) -> None:
        """Close the file. The next scan of any worker compacts it."""
        self.settle()
        with self._lock:
            self._closed = True
            self._close_file()
            self._note.close()

    def after_fork(self) -> None:
        """Close the file of the parent. Called in a forked child, while no other thread runs."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock.after_fork()
            self._note.after_fork()
            self._forget()
            self._close_file()

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Exclude other threads.

        Raises:
            InterruptedAllocation: the caller is a signal handler that interrupted a writer.
        """
        self.after_fork()
        with self._lock:
            if self._is_writing:
                raise InterruptedAllocation("a signal handler interrupted the creation of a series")
            self._is_writing = True
            try:
                yield
            finally:
                self._is_writing = False

    def _try_to_share(self, key: _Key) -> None:
        try:
            self._share(key)
        except OSError as error:
            reraise_interruption(error)
            if not isinstance(error, OtherServiceError):
                self._note.write()
            raise

    def _share(self, key: _Key) -> None:
        """Move a series to the file. Each step is safe to repeat if a signal handler raises."""
        series = self._series.get(key)
        if series is None:  # removed meanwhile
            self._private.pop(key, None)
        if series is None or self._closed:
            return
        instrument, labels = key
        file = self._file or self._open_file()
        index = file.descriptor_index(instrument, self._max_series)
        record = file.allocate(
            index,
            labels,
            len(series.cell.numbers),
            start_ns=series.cell.start_ns,
            use_reserve=instrument is FAULTS,
        )
        previous, series.place = series.place, (file, index, record)
        # A memoryview lacks `insert`, which no cell calls.
        series.cell.move(cast("Numbers", record.words[1:]))
        _free(previous)
        self._private.pop(key, None)

    def _leave_removed_file(self) -> None:
        """Begin to move all series if the file is not in the directory any more."""
        file = self._file
        if file is None or file.is_in_place():
            return
        self._file = None
        self._private.update(dict.fromkeys(self._series))
        file.close()
        detail = f"{file.path} was removed from the directory; its numbers move to a new file"
        self._faults.append(("replaced file", detail))

    def _free_removed(self) -> None:
        while self._removed:
            _free(self._removed.pop().place)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open_file(self) -> WorkerFileWriter:
        """Create the file, or repeat the last error until `RETRY_DELAY` has passed."""
        if self._last_failure is not None and time.monotonic() < self._last_failure[0]:
            raise self._last_failure[1]
        try:
            return self._create_file()
        except OSError as error:
            reraise_interruption(error)  # a time limit may be a TimeoutError
            self._last_failure = (time.monotonic() + RETRY_DELAY, error)
            self._refuse(error)
            raise

    def _create_file(self) -> WorkerFileWriter:
        self._directory.create()
        claim(self._directory, self._owner)
        pid = os.getpid()
        owner = replace(self._owner, pid=pid, start_ticks=start_ticks(pid))
        file = self._file = create_worker_file(self._directory, owner)
        file.publish_port(self._port)
        self._publish_number(file)
        return file

    def _publish_number(self, file: WorkerFileWriter) -> None:
        """Give this worker the smallest free number, unless another process has the lock."""
        with suppress_faults(OSError), self._directory.try_locked() as is_locked:
            if is_locked:
                used = {worker.number for worker in living_workers(self._directory)}
                file.publish_number(next(n for n in range(len(used) + 1) if n not in used))

    def _refuse(self, error: OSError) -> None:
        """Report a directory of another service, to this service and to the other."""
        if isinstance(error, OtherServiceError) and not self._was_refused:
            self._was_refused = True
            self._faults.append(("other service", error.strerror or ""))
            write_refusal(self._directory, f"a process of {self._owner.service!r} was refused")


def _free(place: tuple[WorkerFileWriter, int, MappedRecord] | None) -> None:
    if place is not None:
        file, index, record = place
        file.free(index, record)
