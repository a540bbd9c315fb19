"""What went wrong at run time: said once, counted always, raised never."""

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
    """Counts faults by where they happened and why, in ``otel_meta_faults_total``.

    Args:
        slots: hand out the numbers of its series.
    """

    def __init__(self, slots: Allocator | None = None) -> None:
        self.family: Final = Family(FAULTS, CounterCell, slots=slots)
        self._said: set[tuple[str, str]] = set()
        self._lock = RLock()

    def report(self, source: str, reason: str, detail: object) -> None:
        """Count a fault, and log the first of its kind.

        Args:
            source: the metric, exporter or thread that it happened to.
            reason: its kind, one of few.
            detail: what was seen, for the log.
        """
        self.count_only(source, reason)
        if self._is_new(source, reason):
            logger.warning(
                "%s: %s (%s); more of these are counted in otel_meta_faults_total, not logged",
                source,
                detail,
                reason,
            )

    def count_only(self, source: str, reason: str, times: float = 1.0) -> None:
        """Count a fault that somebody else reports."""
        self.family.series((source, reason)).add(times)

    def count(self) -> float:
        """How many there were in all."""
        return sum(cell.value for cell in self.family.cells())

    def after_fork(self) -> None:
        """Begin as a new process does. In a forked child, where no other thread is left."""
        self._lock = RLock()
        self.family.after_fork()

    def _is_new(self, source: str, reason: str) -> bool:
        with self._lock:
            before = len(self._said)
            self._said.add((source, reason))
            return len(self._said) > before
