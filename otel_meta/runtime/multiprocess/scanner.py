"""Scanner of the multiprocess directory: finds living and dead workers, and compacts."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults

from .compaction import compact, has_valid_values, write_totals
from .directory import Directory, is_alive
from .notes import pid_of
from .reader import Owner, WorkerFile
from .scan import Found, Scan

_ATTEMPTS: Final = 5
"""Attempts to read the directory while other processes compact it."""


class DirectoryScanner:
    """Scans a directory, and keeps its files open to read only new records in the next scan.

    Args:
        directory: the directory.
        owner: this process. Files of another service are ignored.
    """

    def __init__(self, directory: Directory, owner: Owner) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._lock: Final = ForkSafeLock()
        self._faults: list[tuple[str, str]] = []
        self._reported: Final = set[tuple[str, int]]()
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget all files in a forked child: a thread of the parent may have been reading."""
        self._is_scanning = False
        self._files: dict[Path, WorkerFile] = {}
        self._last = Scan()
        self._last_totals: WorkerFile | None = None

    def scan(self) -> Scan:
        """Read the directory, and compact the files of dead workers.

        While another process holds the directory lock, the scan only reads, and does not wait.

        Raises:
            BlockingIOError: the caller is a signal handler that interrupted a scan.
            OSError: the directory cannot be read.
        """
        with self._lock:
            if self._is_scanning:
                raise BlockingIOError(errno.EAGAIN, "a signal handler interrupted a scan")
            self._is_scanning = True
            try:
                with self._directory.try_locked() as is_locked:
                    self._last = self._compacting_scan() if is_locked else self._reading_scan()
            finally:
                self._is_scanning = False
            return self._last

    def take_faults(self) -> Iterator[tuple[str, str]]:
        """Return the faults since the last call: pairs of a reason and details.

        Reasons are few and fixed, because they are label values.
        """
        found, self._faults = self._faults, []
        return iter(found)

    def _compacting_scan(self) -> Scan:
        self._directory.remove_new()
        found = self._find()
        if found.are_totals_known:  # and the directory is not another service's
            self._take_notes()
            self._compact(found)
        return self._keep(found)

    def _reading_scan(self) -> Scan:
        for _ in range(_ATTEMPTS):
            before = self._totals_identity()
            found = self._find()
            if self._totals_identity() == before:
                return self._keep(found)
        return self._last

    def _totals_identity(self) -> tuple[int, int] | None:
        """Return a value that changes with each compaction."""
        try:
            status = self._directory.totals.stat()
        except FileNotFoundError as error:
            reraise_interruption(error)
            return None
        return status.st_ino, status.st_mtime_ns

    def _keep(self, found: Found) -> Scan:
        if not found.are_totals_known and self._last_totals is not None:
            # Without the totals, the sums would go back.
            return replace(self._last, missing=dict(found.missing))
        if kept := self._totals_to_keep(found.totals):
            found.totals = kept[-1]
        scan = found.scan()
        self._files = {file.path: file for file in scan.files}
        self._last_totals = scan.totals or self._last_totals
        # Computed here, because the next scan changes the files.
        revisions = ((file.path, file.inode, file.revision) for file in scan.files)
        return replace(scan, cache_key=(len(scan.living), *revisions))

    def _find(self) -> Found:
        found = Found()
        for path in self._directory.worker_files():
            with suppress_faults(FileNotFoundError):  # compacted meanwhile by another process
                self._find_worker(path, found)
        with suppress_faults(FileNotFoundError):
            self._find_totals(found)
        for path in self._directory.notes("private"):
            with suppress_faults(OSError):
                found.missing["private"] += is_alive(path)
        found.sort()
        return found

    def _find_worker(self, path: Path, found: Found) -> None:
        try:
            is_living = is_alive(path)  # before reading: a dead worker writes no more
            file = self._read(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            reraise_interruption(error)
            self._count_unreadable(path, error, found)
            if path in self._files:  # what was read before is shown, and not compacted
                found.living.append(self._files[path])
            return
        if self._is_usable(file, found):
            (found.living if is_living else found.dead).append(file)

    def _find_totals(self, found: Found) -> None:
        """Read the totals last: they name the files of dead workers that are in them."""
        path = self._directory.totals
        try:
            file = self._read(path)
        except FileNotFoundError:
            found.are_totals_known = True
            raise
        except OSError as error:
            reraise_interruption(error)
            self._count_unreadable(path, error, found)
            return
        if self._is_usable(file, found):
            found.take_totals(file)
        elif file.other_version is None:  # of another service
            found.missing["unreadable"] += 1

    def _count_unreadable(self, path: Path, error: OSError, found: Found) -> None:
        self._faults.append(("unreadable file", f"cannot read {path}: {error}"))
        found.missing["unreadable"] += 1

    def _read(self, path: Path) -> WorkerFile:
        """Read a file to the end.

        Raises:
            OSError: the file cannot be read.
        """
        file = self._files.get(path)
        if file is None or path.stat().st_ino != file.inode:
            file = WorkerFile(path)
        file.read()
        return file

    def _is_usable(self, file: WorkerFile, found: Found) -> bool:
        """Report damage. Return False for a file of another service or of another version."""
        if file.other_version is not None:
            found.missing["version"] += 1
            self._report_once(
                "other version", file, f"{file.path} is ignored: {file.other_version}"
            )
            return False
        if file.owner is not None and not file.owner.is_same_service(self._owner):
            owner = f"{file.owner.service!r} in {file.owner.namespace!r}"
            detail = f"{file.path} belongs to {owner}; give each service a directory of its own"
            self._report_once("other service", file, detail)
            return False
        if file.damage is not None:
            self._report_once("damaged file", file, f"{file.path} is read in part: {file.damage}")
        return True

    def _report_once(self, reason: str, file: WorkerFile, detail: str) -> None:
        if (file.path.name, file.inode) not in self._reported:
            self._reported.add((file.path.name, file.inode))
            self._faults.append((reason, detail))

    def _take_notes(self) -> None:
        """Report and remove the notes of processes that ended. The directory lock is held."""
        for path in self._directory.notes("private"):
            with suppress_faults(OSError):
                if not is_alive(path):
                    path.unlink()
                    detail = f"process {pid_of(path)} ended with numbers that no scrape has shown"
                    self._faults.append(("lost numbers", detail))
        for path in self._directory.notes("refused"):
            with suppress_faults(OSError):
                text = path.read_text()
                path.unlink()
                self._faults.append(("other service", text))

    def _compact(self, found: Found) -> None:
        """Add the files of dead workers to the totals, and remove them."""
        sources = self._totals_to_keep(found.totals)
        is_replaced = sources != [found.totals] and bool(sources)
        is_damaged = found.totals is not None and found.totals.damage is not None
        if is_damaged:
            self._directory.link_to_damaged(self._directory.totals)
        if found.dead or is_damaged or is_replaced:
            try:
                self._write_totals(sources, found)
                found.totals = self._read(self._directory.totals)
            except OSError as error:
                reraise_interruption(error)
                detail = f"cannot write {self._directory.totals}: {error}"
                self._faults.append(("compaction", detail))
                return
            if is_replaced:
                detail = f"{self._directory.totals} was removed, and is written again"
                self._faults.append(("replaced file", detail))
        for file in (*found.dead, *found.leftover):
            self._remove(file)
        found.dead = []

    def _totals_to_keep(self, current: WorkerFile | None) -> list[WorkerFile]:
        """Return the totals to add up: the current totals and, if these were removed, the last."""
        last = self._last_totals
        if last is None or (current is not None and _origins(last) <= _origins(current)):
            return [] if current is None else [current]
        if current is None or current.owner is None or _origins(last) & _origins(current):
            return [last]
        return [current, last]

    def _write_totals(self, sources: list[WorkerFile], found: Found) -> None:
        for file in found.dead:
            if not all(map(has_valid_values, yielding_gil(file.all_series()))):
                self._report_once("damaged file", file, f"{file.path} has impossible values")
        owner = replace(
            self._owner,
            # All files that still exist, or the next totals would count a leftover again.
            compacted=tuple(file.path.name for file in (*found.dead, *found.leftover)),
            origins=tuple(sorted(frozenset[str]().union(*map(_origins, sources)))),
        )
        write_totals(self._directory, compact((*sources, *found.dead), found.living), owner)

    def _remove(self, file: WorkerFile) -> None:
        try:
            if file.damage is None:
                file.path.unlink(missing_ok=True)
            else:
                self._directory.move_to_damaged(file.path)
        except OSError as error:
            reraise_interruption(error)
            self._faults.append(("compaction", f"cannot remove {file.path}: {error}"))


def _origins(totals: WorkerFile) -> frozenset[str]:
    return frozenset() if totals.owner is None else frozenset(totals.owner.origins)
