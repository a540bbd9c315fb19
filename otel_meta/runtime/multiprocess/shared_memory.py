"""Allocator of numbers in a memory-mapped file, which every worker of the service can read."""

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
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.memory import InterruptedAllocation, zeros

from .directory import Directory, directory_error
from .process_identity import start_ticks
from .reader import Owner
from .scanner import DirectoryScanner
from .writer import WorkerFileWriter, check_writable, create_worker_file

RETRY_DELAY: Final = 10.0
"""Seconds between two attempts to create the file of a process."""


class SharedMemoryAllocator:
    """Allocates numbers in the worker file of this process. A forked child has a file of its own.

    The file is created with the first series. A master process without metrics has no file.

    Args:
        directory: the multiprocess directory.
        owner: this process.
        scanner: scanner of the directory.
        max_series: cardinality limit of a metric.

    Raises:
        ConfigurationError: the directory is not writable, or belongs to another service.
    """

    def __init__(
        self,
        directory: Directory,
        owner: Owner,
        scanner: DirectoryScanner,
        max_series: int = MAX_SERIES,
    ) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._scanner: Final = scanner
        self._max_series: Final = max_series
        self._lock = RLock()
        self._is_writing = False
        self._pid = os.getpid()
        self._file: WorkerFileWriter | None = None
        self._last_failure: tuple[float, OSError] | None = None
        self._closed = False
        for other in scanner.other_services():
            raise ConfigurationError(
                f"{directory.path} holds the metrics of {other.service!r} "
                f"in {other.namespace!r}; give each service a directory of its own"
            )
        try:
            with directory.locked():
                check_writable(directory)
        except OSError as error:
            raise directory_error(directory.path, error) from error
        reset_after_fork(self)

    def allocate(
        self, instrument: Instrument[...], labels: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """Allocate the numbers of a series, all zero.

        Args:
            instrument: the metric.
            labels: label values in declared order.
            width: number of doubles.

        Raises:
            OSError: the disk is full, or the directory is not writable.
        """
        with self._writing():
            if self._closed:
                return zeros(width)
            file = self._file or self._open_file()
            index = file.descriptor_index(instrument, self._max_series)
            numbers = file.allocate(index, labels, width, use_reserve=instrument is FAULTS)
        return cast(
            "MutableSequence[float]", numbers
        )  # a memoryview lacks insert, which no cell calls

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
            OSError: the disk is full, or the directory is not writable.
        """
        with self._writing():
            (self._file or self._open_file()).publish_port(port)

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Free the numbers of a removed series. No cell writes to them any more."""
        with self._writing():
            if self._file is not None:
                index = self._file.descriptor_index(instrument, self._max_series)
                self._file.free(index, labels)

    def close(self) -> None:
        """Close the file. The next scan of any worker compacts it."""
        with self._lock:
            self._closed = True
            self._close_file()

    def after_fork(self) -> None:
        """Close the file of the parent. Called in a forked child, while no other thread runs."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = RLock()
            self._is_writing = False
            self._close_file()

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Exclude other threads.

        Raises:
            InterruptedAllocation: the caller is a signal handler that interrupted a writer.
        """
        self.after_fork()  # the fork hook of another object may record before ours runs
        with self._lock:
            if self._is_writing:
                raise InterruptedAllocation("a signal handler interrupted the creation of a series")
            self._is_writing = True
            try:
                yield
            finally:
                self._is_writing = False

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
            raise

    def _create_file(self) -> WorkerFileWriter:
        with self._directory.locked():
            living = self._scanner.scan_locked().living
            used = {file.owner.worker_number for file in living if file.owner is not None}
            owner = replace(
                self._owner,
                pid=os.getpid(),
                start_ticks=start_ticks(os.getpid()),
                worker_number=next(n for n in range(len(used) + 1) if n not in used),
            )
            self._file = create_worker_file(self._directory, owner)
        return self._file
