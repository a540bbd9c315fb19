"""Histories that outlive the process: one process of the service writes them, the others follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.recording.faults import logger

from .history_file import HistoryFile
from .past import Moment
from .saved_slo import Key, SavedSlo
from .tracked_slo import TrackedSlo


class KeptHistories:
    """Continues the histories in a file.

    If the workers of a service share their series, each finds the same events. The process that has
    the lock of the file writes the history, and the others answer from the same history. If a
    process has series of its own, the history of the file is joined to its own, as soon as no other
    process writes the file.

    Args:
        file: the file.
        moment: returns the present moment.
    """

    def __init__(self, file: HistoryFile, moment: Callable[[], Moment]) -> None:
        self._file: Final = file
        self._moment: Final = moment
        self._lock: Final = ForkSafeLock()
        self._idle: dict[Key, SavedSlo] = {}
        """Saved histories of SLOs that this process does not track, or not yet."""
        self._found: dict[Key, SavedSlo] = {}
        """The histories that another process writes."""
        self._is_told = False
        self._is_closed = False
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: its parent writes the file."""
        self._idle, self._found = {}, {}
        self._is_told = True

    def update(self, tracked: Sequence[TrackedSlo]) -> None:
        """Give the SLOs the histories that the file has of them."""
        with self._lock:
            if self._is_closed or not tracked:
                return
            if not self._file.is_owner and self._file.acquire():
                self._take_over(tracked)
            elif self._file.is_owner:
                self._continue(tracked)
            else:
                self._follow(tracked)

    def save(self, tracked: Sequence[TrackedSlo]) -> None:
        """Write the newest sample of each SLO, if this process writes the file."""
        with self._lock:
            if self._file.is_owner and (tracked or self._idle):
                moment, origins = self._moment(), self._file.origins()
                self._forget_old(moment)
                saved = [each.saved(origins) for each in tracked]
                self._file.save(saved, self._idle.values(), moment)

    def close(self) -> None:
        """Let another process write the file."""
        with self._lock:
            self._is_closed = True
            self._file.release()

    def _take_over(self, tracked: Iterable[TrackedSlo]) -> None:
        self._idle = dict(self._file.read(self._moment()) or {})
        self._continue(tracked)
        for each in tracked:
            each.lead()

    def _continue(self, tracked: Iterable[TrackedSlo]) -> None:
        for each in tracked if self._idle else ():
            saved = each.find(self._idle)
            self._idle.pop(each.key, None)
            if saved is not None:
                self._idle.pop(saved.key, None)
                if self._is_shared(saved):
                    each.follow(saved)
                    each.lead()
                else:
                    each.join(saved)

    def _follow(self, tracked: Iterable[TrackedSlo]) -> None:
        if not self._file.origins():
            self._tell()
            return
        new = self._file.read(self._moment())
        self._found = new or self._found
        for each in tracked:
            saved = each.find(self._found) if new or not each.follows else None
            if saved is not None and self._is_shared(saved):
                each.follow(saved)

    def _tell(self) -> None:
        if self._file.is_taken and not self._is_told:
            self._is_told = True
            logger.warning(
                "another process writes %s; until that process ends, the SLOs of this process have "
                "a history in memory alone",
                self._file.path,
            )

    def _is_shared(self, saved: SavedSlo) -> bool:
        return bool(self._file.origins().intersection(saved.origins))

    def _forget_old(self, moment: Moment) -> None:
        self._idle = {
            key: saved
            for key, saved in self._idle.items()
            if saved.history.last.at > moment.now - saved.history.period
        }
