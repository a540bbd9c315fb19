"""Scanner of the multiprocess directory: finds living and dead workers, and compacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from .compaction import compact, has_valid_values, write_totals
from .directory import Directory, is_alive
from .reader import Owner, WorkerFile


@dataclass(frozen=True)
class Scan:
    """The files of one moment. Every recorded value is in exactly one file."""

    totals: WorkerFile | None
    dead: tuple[WorkerFile, ...]
    """Files of dead workers after a failed compaction; else empty."""
    living: tuple[WorkerFile, ...]
    cache_key: tuple[object, ...] = ()
    """Differs between two scans if the files or the series in them differ."""


class DirectoryScanner:
    """Scans a directory, and keeps its files open to read only new records in the next scan.

    Args:
        directory: the directory.
        owner: this process. Files of another service are ignored.
    """

    def __init__(self, directory: Directory, owner: Owner) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._files: dict[Path, WorkerFile] = {}
        self._faults: list[tuple[str, str]] = []
        self._reported: set[tuple[str, int]] = set()

    def scan(self) -> Scan:
        """Read the directory and compact the files of dead workers.

        Raises:
            TimeoutError: another process held the directory lock for too long.
            OSError: the directory does not exist any more.
        """
        with self._directory.locked():
            return self.scan_locked()

    def scan_locked(self) -> Scan:
        """Scan as `scan` does. Call it with the directory lock."""
        self._directory.remove_new()
        totals = self._read(self._directory.totals)
        living: list[WorkerFile] = []
        dead: list[WorkerFile] = []
        for path in self._directory.worker_files():
            is_living = self._is_alive(path)  # before reading: a dead worker writes no more
            file = self._read(path)
            if file is not None:
                (living if is_living else dead).append(file)
        totals, remaining = self._compact(totals, sorted(dead, key=_started), living)
        living.sort(key=_started)
        files = [file for file in (totals, *remaining, *living) if file is not None]
        self._files = {file.path: file for file in files}
        # Computed here, because the next scan changes the files.
        cache_key = (len(living), *((file.path, file.inode, file.revision) for file in files))
        return Scan(totals, tuple(remaining), tuple(living), cache_key)

    def take_faults(self) -> Iterator[tuple[str, str]]:
        """Return the faults since the last call: pairs of a reason and details.

        Reasons are few and fixed, because they are label values.
        """
        found, self._faults = self._faults, []
        return iter(found)

    def other_services(self) -> Iterator[Owner]:
        """Return the owners of files of other services."""
        for path in (self._directory.totals, *self._directory.worker_files()):
            file = WorkerFile(path)
            with suppress(OSError):
                file.read()
            if file.owner is not None and not self._is_own_service(file.owner):
                yield file.owner

    def _is_own_service(self, owner: Owner) -> bool:
        return (owner.service, owner.namespace) == (self._owner.service, self._owner.namespace)

    def _is_alive(self, path: Path) -> bool:
        try:
            return is_alive(path)
        except OSError:
            return False

    def _read(self, path: Path) -> WorkerFile | None:
        """Read a file to the end. Return None if missing, unreadable or of another service."""
        file = self._files.get(path)
        try:
            if file is None or path.stat().st_ino != file.inode:
                file = WorkerFile(path)
            file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._faults.append(("unreadable file", f"cannot read {path}: {error}"))
            return None
        owner = file.owner
        if owner is not None and not self._is_own_service(owner):
            self._report_once("other service", file, f"{path} belongs to {owner.service}")
            return None
        if file.damage is not None:
            self._report_once("damaged file", file, f"{path} is read in part: {file.damage}")
        return file

    def _report_once(self, reason: str, file: WorkerFile, detail: str) -> None:
        if (file.path.name, file.inode) not in self._reported:
            self._reported.add((file.path.name, file.inode))
            self._faults.append((reason, detail))

    def _compact(
        self, totals: WorkerFile | None, dead: list[WorkerFile], living: list[WorkerFile]
    ) -> tuple[WorkerFile | None, list[WorkerFile]]:
        """Return the new totals, and the files of dead workers missing from them."""
        compacted = set(_compacted(totals))
        added = [file for file in dead if file.path.name not in compacted]
        if added or (totals is not None and totals.damage is not None):
            try:
                self._write_totals(totals, added, living, tuple(file.path.name for file in dead))
            except OSError as error:
                detail = f"cannot write {self._directory.totals}: {error}"
                self._faults.append(("compaction", detail))
                return totals, added
            totals = self._read(self._directory.totals)
        for file in dead:
            self._remove(file)
        return totals, []

    def _write_totals(
        self,
        totals: WorkerFile | None,
        added: list[WorkerFile],
        living: list[WorkerFile],
        names: tuple[str, ...],
    ) -> None:
        for file in added:
            if not all(map(has_valid_values, file.all_series())):
                self._report_once("damaged file", file, f"{file.path} has impossible values")
        if totals is not None and totals.damage is not None:
            self._directory.link_to_damaged(totals.path)
        sources = (*([totals] if totals is not None else ()), *added)
        owner = replace(self._owner, compacted=names)
        write_totals(self._directory, compact(sources, living), owner)

    def _remove(self, file: WorkerFile) -> None:
        try:
            if file.damage is None:
                file.path.unlink(missing_ok=True)
            else:
                self._directory.move_to_damaged(file.path)
        except OSError as error:
            self._faults.append(("compaction", f"cannot remove {file.path}: {error}"))


def _compacted(totals: WorkerFile | None) -> tuple[str, ...]:
    """Return the names of files in the totals. A crash may have left some of the files behind."""
    if totals is None or totals.owner is None:
        return ()
    return totals.owner.compacted or ()


def _started(file: WorkerFile) -> float:
    return file.owner.started if file.owner is not None else 0.0
