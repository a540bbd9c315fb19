"""Exporters that cannot deliver: one warning when that starts, one line when it ends.

The SDK's exporters log every attempt of every signal. Their words are caught and kept as the
reason, so that an unreachable Collector costs one line and a counter instead of many lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sized
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from typing import Any, Final, Protocol

from otel_meta.runtime.recording.faults import Faults

logger: Final = logging.getLogger("otel_meta")

exporting: Final = ContextVar("exporting", default=False)
"""Whether the current thread is delivering telemetry."""

_EXPORTERS: Final = "opentelemetry.exporter"
_LONGEST_REASON: Final = 300


class Exporter(Protocol):
    """What span, metric and log exporters have in common."""

    export: Callable[..., Any]


class DeliveryMonitor(logging.Handler):
    """Which signals do not get through, and what the SDK's exporters say about it."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(logging.WARNING)
        self._faults: Final = faults
        self._failing: Final[set[str]] = set()
        self._reason = ""
        self._noting: Final = Lock()

    @property
    def is_on(self) -> bool:
        """Whether anything does not get through, and has been said not to."""
        return bool(self._failing)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first message: it has the cause, what follows tells of giving up."""
        self._reason = self._reason or record.getMessage().partition("\n")[0][:_LONGEST_REASON]

    def listen(self) -> None:
        """Take the exporters' messages out of the application's log."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.addHandler(self)
        exporters.propagate = False

    def leave(self) -> None:
        """Give them back."""
        exporters = logging.getLogger(_EXPORTERS)
        exporters.removeHandler(self)
        exporters.propagate = True

    def watch(self, exporter: Exporter, what: str) -> None:
        """Follow an exporter's results."""
        deliver = exporter.export

        @wraps(deliver)
        def export(*args: Any, **kwargs: Any) -> Any:
            result = None
            token = exporting.set(True)
            try:
                result = deliver(*args, **kwargs)
            except Exception as error:
                self._reason = self._reason or f"{type(error).__name__}: {error}"
            finally:
                exporting.reset(token)
                delivered = getattr(result, "name", "") == "SUCCESS"
                self._note(what, delivered=delivered, items=_size(args))
            return result

        exporter.export = export

    def _note(self, what: str, *, delivered: bool, items: int) -> None:
        with self._noting:
            was_on = self.is_on
            (self._failing.discard if delivered else self._failing.add)(what)
            if not self.is_on and not was_on:
                self._reason = ""  # whatever that was, it has passed
        if not delivered:
            self._faults.count_only(f"export of {what}", "undelivered", items)
        if self.is_on != was_on:
            self._say(what)

    def _say(self, what: str) -> None:
        if self.is_on:
            logger.warning(
                "cannot export %s: %s; the application goes on, and further failures of any signal "
                "are counted in otel_meta_faults_total, not logged",
                what,
                self._reason or "no reason given",
            )
        else:
            self._reason = ""
            logger.info("exporting again")


def _size(batch: tuple[Any, ...]) -> int:
    """How many spans or log records; of metrics the next export has them all, so that it is one."""
    return len(batch[0]) if batch and isinstance(batch[0], Sized) else 1
