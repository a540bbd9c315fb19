"""The workers of a service: the entry point of this package for the rest of the runtime."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.recording.cardinality import MAX_SERIES
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import OnFault

from .directory import Directory, directory_error
from .reader import Owner
from .scanner import DirectoryScanner
from .service_view import ServiceView
from .shared_memory import SharedMemoryAllocator


class Workers:
    """The workers of a service. This process is one of them.

    Args:
        path: the directory shared by the workers.
        service: ``service.name``.
        namespace: ``service.namespace``.
        max_series: cardinality limit of a metric.

    Raises:
        ConfigurationError: the directory cannot be used, or belongs to another service.
    """

    def __init__(
        self, path: Path, service: str, namespace: str, max_series: int = MAX_SERIES
    ) -> None:
        directory = self._directory = Directory(path)
        owner = Owner(service, namespace, time.time())
        self._max_series: Final = max_series
        self._scanner: Final = DirectoryScanner(directory, owner)
        self.allocator: Final = SharedMemoryAllocator(directory, owner, self._scanner, max_series)

    @contextmanager
    def opening_port(self, port: int) -> Generator[bool]:
        """Hold the directory lock while this process opens a port shared by the workers.

        Yields:
            True if another worker of this service listens on the port. If False, the port must be
            free.

        Raises:
            ConfigurationError: the directory is not writable.
        """
        try:
            self.allocator.publish_port(0)
            with self._directory.locked():
                yield any(file.port == port for file in self._scanner.scan_locked().living)
                self.allocator.publish_port(port)
        except OSError as error:
            raise directory_error(self._directory.path, error) from error
        except ConfigurationError:  # telemetry does not start
            self.allocator.close()
            raise

    def close(self) -> None:
        """Add the numbers of this process to the totals, and leave the workers.

        Later recordings are lost.
        """
        self.allocator.close()
        with suppress(OSError):  # the next scan of another worker compacts the file
            self._scanner.scan()

    def view(self, local: Callable[[], Iterable[Family[Any]]], on_fault: OnFault) -> ServiceView:
        """Return the metrics of all workers.

        Args:
            local: returns the live instruments of this process.
            on_fault: called with the source, the reason and the details of each fault.
        """
        return ServiceView(local, self.allocator, self._scanner, on_fault, self._max_series)
