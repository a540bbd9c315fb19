"""The workers of a service: the entry point of this package for the rest of the runtime."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.births.shared_marks import SharedMarks
from otel_meta.runtime.export.periodic import Ticker
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import Faults, OnFault

from .directory import Directory, directory_error
from .notes import write_refusal
from .ownership import OtherServiceError, check_worker_files, claim, living_workers
from .reader import Owner
from .scanner import DirectoryScanner
from .service_view import SOURCE, ServiceView
from .shared_memory import SharedMemoryAllocator
from .writer import check_writable

SETTLE_INTERVAL: Final = 1.0
"""Seconds between two attempts to share numbers that are private."""

_PORT_PATIENCE: Final = 1.0
"""Seconds to wait at start for another worker that opens the port of the service."""

_STOP_PATIENCE: Final = 0.1
"""Seconds to wait at the end for an attempt under way, which waits for nothing itself."""

_TEMPORARY: Final = frozenset(
    {
        errno.EACCES,
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
"""Errors of a directory that may end while the process runs. All others are errors at start."""


class Workers:
    """The workers of a service. This process is one of them.

    Args:
        path: the directory shared by the workers.
        service: ``service.name``.
        namespace: ``service.namespace``.
        max_series: cardinality limit of a metric.

    Raises:
        ConfigurationError: the directory can never be used, or belongs to another service.
    """

    def __init__(
        self, path: Path, service: str, namespace: str, max_series: int = MAX_SERIES
    ) -> None:
        directory = self._directory = Directory(path)
        owner = self._owner = Owner(service, namespace, time.time())
        self._max_series: Final = max_series
        self._ticker: Ticker | None = None
        self._first_error: OSError | None = None
        self._prepare()
        self._scanner: Final = DirectoryScanner(directory, owner)
        self.allocator: Final = SharedMemoryAllocator(directory, owner, max_series)

    def start(self, faults: Faults) -> None:
        """Begin to share private numbers at an interval.

        Args:
            faults: counts the faults of the directory.
        """
        if self._first_error is not None:
            detail = (
                f"{directory_error(self._directory.path, self._first_error)}; this is tried again "
                "every second, and until then /metrics lacks the numbers of this process"
            )
            faults.report(SOURCE, "directory", detail)
        self._ticker = Ticker(SOURCE, SETTLE_INTERVAL, lambda: self._settle(faults), faults)
        self._ticker.start()

    @contextmanager
    def opening_port(self, port: int) -> Generator[bool]:
        """Hold the directory lock while this process opens a port shared by the workers.

        A process that holds the lock for long does not stop this process from starting.

        Yields:
            True if another worker of this service listens on the port. If False, the port must be
            free.
        """
        try:
            with ExitStack() as lock:
                with suppress_faults(OSError):
                    lock.enter_context(self._directory.try_locked(_PORT_PATIENCE))
                yield port in self._open_ports()
                with suppress_faults(OSError):  # the file has the port once it can be created
                    self.allocator.publish_port(port)
        except ConfigurationError:  # telemetry does not start
            self.allocator.close()
            raise

    def close(self) -> None:
        """Leave the workers. Later recordings are lost.

        The next scan of another worker adds the numbers of this process to the totals. The last
        worker scans itself: if every worker did, the end of a service would read each file as often
        as there are workers.
        """
        if self._ticker is not None:
            self._ticker.stop(_STOP_PATIENCE)
        self.allocator.close()
        with suppress_faults(OSError):  # the next process of the service compacts the files
            if next(living_workers(self._directory), None) is None:
                self._scanner.scan()

    def view(
        self,
        local: Callable[[], Iterable[Family[Any]]],
        on_fault: OnFault,
        *,
        of_dead: bool = False,
    ) -> ServiceView:
        """Return the metrics of all workers.

        Args:
            local: returns the live instruments of this process.
            on_fault: called with the source, the reason and the details of each fault.
            of_dead: show metrics that only dead workers declared too.
        """
        return ServiceView(
            local,
            self.allocator,
            self._scanner,
            on_fault,
            self._max_series,
            of_dead=of_dead,
        )

    def marks(self) -> SharedMarks:
        """Return the times of the last scrapes, which are answered by any worker."""
        return SharedMarks(self._directory.scrapes)

    def _prepare(self) -> None:
        """Create, claim and try the directory."""
        try:
            self._directory.create()
            check_worker_files(self._directory, self._owner)
            claim(self._directory, self._owner)
            check_writable(self._directory)
        except OtherServiceError as error:
            text = f"a process of {self._owner.service!r} was refused at its start"
            write_refusal(self._directory, text)
            raise ConfigurationError(error.strerror or "") from error
        except OSError as error:
            reraise_interruption(error)
            if error.errno not in _TEMPORARY:
                raise directory_error(self._directory.path, error) from error
            self._first_error = error

    def _settle(self, faults: Faults) -> None:
        self.allocator.settle()
        for reason, detail in self.allocator.take_faults():
            faults.report(SOURCE, reason, detail)

    def _open_ports(self) -> set[int]:
        with suppress_faults(OSError):
            return {worker.port for worker in living_workers(self._directory)}
        return set()
