"""What a process shares with the other workers of its service."""

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
from .service_view import View
from .shared_memory import SharedMemoryAllocator


class Workers:
    """The workers of a service, of which this process is one.

    Args:
        path: the directory that they share.
        service: ``service.name``.
        namespace: ``service.namespace``.
        max_series: how many series a metric may have.

    Raises:
        ConfigurationError: the directory cannot be used, or belongs to another service.
    """

    def __init__(
        self, path: Path, service: str, namespace: str, max_series: int = MAX_SERIES
    ) -> None:
        directory = self._directory = Directory(path)
        owner = Owner(service, namespace, time.time())
        self._max_series: Final = max_series
        self._survey: Final = DirectoryScanner(directory, owner)
        self.slots: Final = SharedMemoryAllocator(directory, owner, self._survey, max_series)

    @contextmanager
    def opening(self, port: int) -> Generator[bool]:
        """Open a port that all workers may have open, while none of the others does.

        Yields:
            Whether another one has it open. If not, somebody else must not have it either.

        Raises:
            ConfigurationError: the directory cannot be written to.
        """
        try:
            self.slots.publish_port(0)
            with self._directory.locked():
                yield any(c.port == port for c in self._survey.look_within_lock().living)
                self.slots.publish_port(port)
        except OSError as error:
            raise directory_error(self._directory.path, error) from error
        except ConfigurationError:  # telemetry does not start
            self.slots.close()
            raise

    def close(self) -> None:
        """Add what this process has recorded to the totals, and be no worker any more.

        What it records later is lost.
        """
        self.slots.close()
        with suppress(OSError):  # whoever looks next folds it
            self._survey.look()

    def view(self, own: Callable[[], Iterable[Family[Any]]], on_fault: OnFault) -> View:
        """The metrics of all of them, of which some are this process' own."""
        return View(own, self.slots, self._survey, on_fault, self._max_series)
