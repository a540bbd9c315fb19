"""An exporter that cannot deliver: one warning when it starts, one line when it ends.

The SDK's exporters log every attempt. Their words are caught and kept as the reason, so that an
unreachable Collector costs one line and a counter instead of a line every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, Protocol

from .faults import Faults

logger: Final = logging.getLogger("otel_meta")

_EXPORTERS: Final = "opentelemetry.exporter"


class Exporter(Protocol):
    """What span, metric and log exporters have in common."""

    export: Callable[..., Any]


class LastWords(logging.Handler):
    """Keeps the latest message of the SDK's exporters instead of passing it on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.message = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first words of the message: what follows is how it will try again."""
        self.message = record.getMessage().splitlines()[0][:300]

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


def watch(exporter: Exporter, what: str, faults: Faults, words: LastWords) -> None:
    """Follow an exporter's results: warn when it fails first, and say when it delivers again."""
    deliver = exporter.export
    failing = False

    def note(result: Any, reason: str) -> None:
        nonlocal failing
        delivered = getattr(result, "name", "") == "SUCCESS"
        if not delivered:
            faults.count_only(f"export of {what}", "undelivered")
        if delivered == failing:
            failing = not delivered
            _say(what, reason, failing=failing)

    @wraps(deliver)
    def export(*args: Any, **kwargs: Any) -> Any:
        result = None
        try:
            result = deliver(*args, **kwargs)
        finally:
            note(result, words.message)
        return result

    exporter.export = export


def _say(what: str, reason: str, *, failing: bool) -> None:
    if failing:
        logger.warning(
            "cannot export %s: %s; the application goes on, and further failures are counted in "
            "otel_meta_faults_total, not logged",
            what,
            reason,
        )
    else:
        logger.info("exporting %s again", what)
