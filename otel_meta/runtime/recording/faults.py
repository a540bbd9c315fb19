"""Faults at run time: each is counted, the first of its kind is logged, and none is raised."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import RLock
from typing import Final

from otel_meta.model.self_metrics import FAULTS

from .cells import CounterCell
from .family import Family
from .memory import Allocator

logger: Final = logging.getLogger("otel_meta")

OnFault = Callable[[str, str, object], None]
"""Receives a source, a reason and a detail, as `Faults.report` does."""


class Faults:
    """Counts faults by source and reason, in ``otel_meta_faults_total``.

    Args:
        allocator: allocates the numbers of the series; the heap by default.
    """

    def __init__(self, allocator: Allocator | None = None) -> None:
        self.family: Final = Family(FAULTS, CounterCell, allocator=allocator)
        self._logged: set[tuple[str, str]] = set()
        self._lock = RLock()

    def report(self, source: str, reason: str, detail: object) -> None:
        """Count a fault, and log the first with this source and reason.

        Args:
            source: the metric, exporter or thread with the fault.
            reason: the kind of the fault, one of few.
            detail: a description or an exception for the log.
        """
        self.count_only(source, reason)
        if self._is_first(source, reason):
            logger.warning(
                "%s: %s (%s); more of these are counted in otel_meta_faults_total, not logged",
                source,
                detail,
                reason,
            )

    def count_only(self, source: str, reason: str, times: float = 1.0) -> None:
        """Count faults without a log line, because the caller logs them or cannot log."""
        self.family.series((source, reason)).add(times)

    def count(self) -> float:
        """Return the number of all faults."""
        return sum(cell.value for cell in self.family.cells())

    def after_fork(self) -> None:
        """Reset the counts in a forked child, in which no other thread runs."""
        self._lock = RLock()
        self.family.after_fork()

    def _is_first(self, source: str, reason: str) -> bool:
        with self._lock:
            before = len(self._logged)
            self._logged.add((source, reason))
            return len(self._logged) > before
