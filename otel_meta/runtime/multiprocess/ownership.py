"""Ownership of the multiprocess directory by one service.

The owner record of the totals names the service. The first process creates empty totals before its
own file, so two services that start at the same time meet there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from otel_meta.runtime.interruption import suppress_faults

from .compaction import create_totals
from .directory import Directory, is_alive
from .file_format import OtherVersionError
from .reader import Owner, Worker, read_worker


class OtherServiceError(OSError):
    """The directory belongs to another service."""

    def __init__(self, directory: Directory, other: Owner) -> None:
        super().__init__(
            errno.EBUSY,
            f"{directory.path} holds the metrics of {other.service!r} in {other.namespace!r}; "
            "give each service a directory of its own",
        )


def claim(directory: Directory, owner: Owner) -> None:
    """Claim the directory for a service, or check that the service owns the directory.

    Raises:
        OtherServiceError: another service owns the directory.
        OSError: the directory cannot be read or written.
    """
    other = _owner_of_totals(directory)
    if other is None:
        totals = replace(owner, compacted=(), origins=(os.urandom(8).hex(),))
        create_totals(directory, totals)
        other = _owner_of_totals(directory)
    if other is not None and not other.is_same_service(owner):
        raise OtherServiceError(directory, other)


def living_workers(directory: Directory) -> Iterator[Worker]:
    """Iterate over the living workers of a directory.

    Raises:
        OSError: the directory or one of its files cannot be read.
    """
    return (worker for path, worker in _workers(directory) if is_alive(path))


def check_worker_files(directory: Directory, owner: Owner) -> None:
    """Check that no worker file belongs to another service.

    Raises:
        OtherServiceError: there is a file of another service.
        OSError: the directory cannot be read.
    """
    for _, worker in _workers(directory):
        if not worker.owner.is_same_service(owner):
            raise OtherServiceError(directory, worker.owner)


def _workers(directory: Directory) -> Iterator[tuple[Path, Worker]]:
    for path in directory.worker_files():
        with suppress_faults(FileNotFoundError, OtherVersionError):
            worker = read_worker(path)
            if worker is not None:
                yield path, worker


def _owner_of_totals(directory: Directory) -> Owner | None:
    """Return the owner of the totals; None without totals, and for damaged or other versions."""
    with suppress_faults(FileNotFoundError, OtherVersionError):
        worker = read_worker(directory.totals)
        return None if worker is None else worker.owner
    return None
