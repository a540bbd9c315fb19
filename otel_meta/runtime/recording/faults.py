"""Faults at run time: each is counted, the first of its kind is logged, and none is raised.

A mistake of the application, such as a misspelt label value, is logged once for each place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import get_ident
from typing import Final

from otel_meta.model.self_metrics import FAULTS

from .call_site import call_site
from .cells import CounterCell
from .family import Family
from .memory import Allocator

logger: Final = logging.getLogger("otel_meta")

OnFault = Callable[[str, str, object], None]
"""Receives a source, a reason and a detail, as `Faults.report` does."""


MAX_MISTAKES: Final = 100
"""Mistakes of an application that a process logs; further ones are counted only."""


class Faults:
    """Counts faults by source and reason, in ``otel_meta_faults_total``.

    Args:
        allocator: allocates the numbers of the series; the heap by default.
        family: the series, in place of new ones.
    """

    def __init__(
        self, allocator: Allocator | None = None, family: Family[CounterCell] | None = None
    ) -> None:
        self.family: Final = family or Family(FAULTS, CounterCell, allocator=allocator)
        self._logged: Final[dict[tuple[str, ...], object]] = {}
        self._mistakes: Final[dict[tuple[str, ...], object]] = {}
        self._logging_threads: Final[set[int]] = set()

    def report(self, source: str, reason: str, detail: object, mistake: str | None = None) -> None:
        """Count a fault, and log the first with this source and reason.

        Args:
            source: the metric, exporter or thread with the fault.
            reason: the kind of the fault, one of few.
            detail: a description or an exception for the log.
            mistake: a mistake of the application, without numbers that change. Each one is logged
                for each place in the application, up to `MAX_MISTAKES`.
        """
        self.count_only(source, reason)
        if get_ident() in self._logging_threads:
            return  # by a log handler that records: its fault would be logged by itself
        self._logging_threads.add(get_ident())
        try:
            if mistake is None:
                self._log_fault(source, reason, detail)
            else:
                self._log_mistake(source, reason, detail, mistake)
        finally:
            self._logging_threads.discard(get_ident())

    def count_only(self, source: str, reason: str, times: float = 1.0) -> None:
        """Count faults without a log line, because the caller logs them or cannot log."""
        self.family.series((source, reason)).add(times)

    def count(self) -> float:
        """Return the number of all faults."""
        return sum(cell.value for cell in self.family.cells())

    def after_fork(self) -> None:
        """Reset the counts in a forked child, in which no other thread runs."""
        self._logging_threads.clear()
        self.family.after_fork()

    def _log_fault(self, source: str, reason: str, detail: object) -> None:
        if _is_new((source, reason), self._logged):
            logger.warning(
                "%s: %s (%s); more of these are counted in otel_meta_faults_total, not logged",
                source,
                detail,
                reason,
            )

    def _log_mistake(self, source: str, reason: str, detail: object, mistake: str) -> None:
        if len(self._mistakes) == MAX_MISTAKES:
            return
        place = call_site()
        if _is_new((source, reason, mistake, place), self._mistakes):
            last = "; no further mistake is logged" if len(self._mistakes) == MAX_MISTAKES else ""
            logger.warning(
                "%s: %s (%s, at %s); counted in otel_meta_faults_total, logged once%s",
                source,
                detail,
                reason,
                place,
                last,
            )


def _is_new(key: tuple[str, ...], known: dict[tuple[str, ...], object]) -> bool:
    """Add a key; return False if it is known. A single call of C code needs no lock."""
    token = object()
    return known.setdefault(key, token) is token
