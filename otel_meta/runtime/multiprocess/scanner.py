"""Looking at a directory: who lives, what the dead have left, and what is to be counted of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from .compaction import compacted_totals, has_valid_values, write_totals
from .directory import Directory, lives
from .reader import Owner, WorkerFile


@dataclass(frozen=True)
class Look:
    """The files of one moment, none of them in another."""

    totals: WorkerFile | None
    dead: tuple[WorkerFile, ...]
    """Those that could not be folded."""
    living: tuple[WorkerFile, ...]
    stamp: tuple[object, ...] = ()
    """Differs as soon as there are other files or other series in them."""


class DirectoryScanner:
    """Looks at a directory again and again, and reads what is new.

    Args:
        directory: where to look.
        owner: as whom; files of another service are left alone.
    """

    def __init__(self, directory: Directory, owner: Owner) -> None:
        self._directory: Final = directory
        self._owner: Final = owner
        self._read: dict[Path, WorkerFile] = {}
        self._faults: list[tuple[str, str]] = []
        self._said: set[tuple[str, int]] = set()

    def look(self) -> Look:
        """What there is now. Folds the dead.

        Raises:
            OSError: the directory is gone, or somebody holds it for too long.
        """
        with self._directory.locked():
            return self.look_within_lock()

    def look_within_lock(self) -> Look:
        """The same, for who has the directory's lock."""
        self._directory.clear()
        totals = self._contents(self._directory.totals)
        living: list[WorkerFile] = []
        dead: list[WorkerFile] = []
        for path in self._directory.workers():
            is_living = self._lives(path)  # before reading: the dead write no more
            contents = self._contents(path)
            if contents is not None:
                (living if is_living else dead).append(contents)
        totals, unfolded = self._fold(totals, sorted(dead, key=_started), living)
        living.sort(key=_started)
        every = [c for c in (totals, *unfolded, *living) if c is not None]
        self._read = {c.path: c for c in every}
        # Taken now: the contents change with the next look.
        stamp = (len(living), *((c.path, c.inode, c.changes) for c in every))
        return Look(totals, tuple(unfolded), tuple(living), stamp)

    def faults(self) -> Iterator[tuple[str, str]]:
        """What was found wrong since the last call: a reason, one of few, and what was seen."""
        found, self._faults = self._faults, []
        return iter(found)

    def others(self) -> Iterator[Owner]:
        """Whose files of another service are there."""
        for path in (self._directory.totals, *self._directory.workers()):
            contents = WorkerFile(path)
            with suppress(OSError):
                contents.read()
            if contents.owner is not None and not self._is_ours(contents.owner):
                yield contents.owner

    def _is_ours(self, owner: Owner) -> bool:
        return (owner.service, owner.namespace) == (self._owner.service, self._owner.namespace)

    def _lives(self, path: Path) -> bool:
        try:
            return lives(path)
        except OSError:
            return False

    def _contents(self, path: Path) -> WorkerFile | None:
        """A file, read to its end; None where there is none of this service."""
        contents = self._read.get(path)
        try:
            if contents is None or path.stat().st_ino != contents.inode:
                contents = WorkerFile(path)
            contents.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._faults.append(("unreadable file", f"cannot read {path}: {error}"))
            return None
        owner = contents.owner
        if owner is not None and not self._is_ours(owner):
            self._say("other service", contents, f"{path} belongs to {owner.service}")
            return None
        if contents.damage is not None:
            self._say("damaged file", contents, f"{path} is read in part: {contents.damage}")
        return contents

    def _say(self, reason: str, contents: WorkerFile, detail: str) -> None:
        if (contents.path.name, contents.inode) not in self._said:
            self._said.add((contents.path.name, contents.inode))
            self._faults.append((reason, detail))

    def _fold(
        self, totals: WorkerFile | None, dead: list[WorkerFile], living: list[WorkerFile]
    ) -> tuple[WorkerFile | None, list[WorkerFile]]:
        """New totals where they are needed, and the dead that are not in them."""
        folded = set(_folded(totals))
        fresh = [c for c in dead if c.path.name not in folded]
        if fresh or (totals is not None and totals.damage is not None):
            try:
                self._write(totals, fresh, living, names=tuple(c.path.name for c in dead))
            except OSError as error:
                self._faults.append(("fold", f"cannot write {self._directory.totals}: {error}"))
                return totals, fresh
            totals = self._contents(self._directory.totals)
        for contents in dead:
            self._remove(contents)
        return totals, []

    def _write(
        self,
        totals: WorkerFile | None,
        fresh: list[WorkerFile],
        living: list[WorkerFile],
        names: tuple[str, ...],
    ) -> None:
        for contents in fresh:
            if not all(map(has_valid_values, contents.every_series())):
                self._say("damaged file", contents, f"{contents.path} holds odd numbers")
        if totals is not None and totals.damage is not None:
            self._directory.keep_copy(totals.path)
        folded = (*([totals] if totals is not None else ()), *fresh)
        owner = replace(self._owner, folded=names)
        write_totals(self._directory, compacted_totals(folded, living), owner)

    def _remove(self, contents: WorkerFile) -> None:
        try:
            if contents.damage is None:
                contents.path.unlink(missing_ok=True)
            else:
                self._directory.set_aside(contents.path)
        except OSError as error:
            self._faults.append(("fold", f"cannot remove {contents.path}: {error}"))


def _folded(totals: WorkerFile | None) -> tuple[str, ...]:
    """The files that are in the totals already; they should have gone with their folding."""
    return (totals.owner.folded or ()) if totals is not None and totals.owner is not None else ()


def _started(contents: WorkerFile) -> float:
    return contents.owner.started if contents.owner is not None else 0.0
