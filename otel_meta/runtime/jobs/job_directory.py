"""The directory in which the processes of one run of a job share their series.

The first process of a run creates the directory, and sends the totals of all its processes. Child
processes record into files of the directory, so that nothing has to be sent at their end, however
they end. A forked child knows the directory from its parent's memory, a spawned child from a
variable.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any, Final

from otel_meta.runtime.interruption import suppress_faults
from otel_meta.runtime.multiprocess.directory import Directory
from otel_meta.runtime.multiprocess.ownership import living_workers
from otel_meta.runtime.multiprocess.service_view import ServiceView

VARIABLE: Final = "_OTEL_META_JOB_DIRECTORY"
"""Set by a job for its children. A variable with a name of OpenTelemetry would not outlive
`checked_variables`."""
_PREFIX: Final = "otel_meta-job-"
_STARTING: Final = 3600.0
"""Seconds for which a directory without living processes may belong to a job that is starting."""


class JobDirectory:
    """The directory of this run.

    Args:
        path: the path.
        is_ours: True if this process has created the directory.
    """

    def __init__(self, path: Path, *, is_ours: bool) -> None:
        self.path: Final = path
        self._owner: Final = os.getpid() if is_ours else 0

    @property
    def is_ours(self) -> bool:
        """True in the process that sends the totals of all processes."""
        return self._owner == os.getpid()

    @property
    def is_open(self) -> bool:
        """False after the end of the run, when nobody sends what its processes still record."""
        return self.path.exists()

    def close(self) -> None:
        """Remove the directory, if this process has created it."""
        if self.is_ours:
            os.environ.pop(VARIABLE, None)
            shutil.rmtree(self.path, ignore_errors=True)


def job_directory(*, is_child: bool) -> JobDirectory | None:
    """Join the run of the parent, or begin a run.

    Args:
        is_child: True in a child of multiprocessing.

    Returns:
        None if processes cannot share memory here; each process then sends its own deltas.
    """
    if sys.platform != "linux":
        return None
    path = os.environ.get(VARIABLE)
    if is_child and path and Path(path).exists():
        return JobDirectory(Path(path), is_ours=False)
    with suppress_faults(OSError):
        for left in _left_directories():
            shutil.rmtree(left, ignore_errors=True)
        os.environ[VARIABLE] = mkdtemp(prefix=_PREFIX)
        return JobDirectory(Path(os.environ[VARIABLE]), is_ours=True)
    return None


def _left_directories() -> Iterator[Path]:
    """Yield the directories of runs that were killed."""
    for path in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress_faults(OSError):
            found = path.stat()
            is_old = time.time() - found.st_mtime > _STARTING
            if is_old and found.st_uid == os.getuid() and not any(living_workers(Directory(path))):
                yield path


class JobStorage:
    """The series that this process sends: those of all processes of the run, or none in a child.

    Args:
        view: the series of all processes.
        directory: the directory of the run.
    """

    def __init__(self, view: ServiceView, directory: JobDirectory) -> None:
        self._view: Final = view
        self._directory: Final = directory

    def families(self) -> Iterable[Any]:
        """Return the series of each instrument for a collection."""
        return self._view.families() if self._directory.is_ours else ()
