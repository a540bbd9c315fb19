"""An export under way: retries within its timeout, the cause of a failure, rejected items."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event
from typing import Final, TypeVar
from weakref import WeakSet

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.signals import Signal

T = TypeVar("T")

_JITTER: Final = (0.8, 1.2)
_MOMENT: Final = 0.01
_deadline: Final[ContextVar[float | None]] = ContextVar("export_deadline", default=None)


@contextmanager
def exports_until(deadline: float) -> Generator[None]:
    """Let no export of the current thread last beyond a point of the monotonic clock."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class DeliveryError(Exception):
    """A request whose items were not delivered; the text is the cause, for a log line.

    Args:
        cause: what happened, and how to mend it.
        is_transient: True if a later request may succeed.
        is_unreachable: True if no connection came about.
        pause: seconds until the next request, if the receiver demands a pause.
    """

    def __init__(
        self,
        cause: str,
        *,
        is_transient: bool = False,
        is_unreachable: bool = False,
        pause: float | None = None,
    ) -> None:
        super().__init__(cause)
        self.is_transient: Final = is_transient
        self.is_unreachable: Final = is_unreachable
        self.pause: Final = pause


_all_exports: Final[WeakSet[Exports]] = WeakSet()


class Exports:
    """The exports of a `Telemetry` that are under way, and whether the process stops."""

    def __init__(self) -> None:
        self.after_fork()
        reset_after_fork(self)
        _all_exports.add(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child, which has no exports and does not stop with its parent."""
        self.under_way: list[Attempt] = []
        self.is_stopping = False
        self.deadline: float | None = None
        self._start = 0.0
        self._stopping = Event()

    def stop(self, timeout: float | None = None) -> None:
        """End the pauses between retries.

        Args:
            timeout: seconds until the last export has to end; None for no bound.
        """
        if timeout is not None:
            self.deadline = time.monotonic() + timeout
        if not self.is_stopping:  # a signal handler may interrupt `set`, which locks
            self.is_stopping, self._start = True, time.monotonic()
            self._stopping.set()

    def age(self) -> float:
        """Return the seconds since the process stops."""
        return time.monotonic() - self._start

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the process stops."""
        if self.is_stopping:
            time.sleep(seconds)
        else:
            self._stopping.wait(seconds)


def wait_for_exports(deadline: float) -> bool:
    """Wait until no export of this process is under way; return False at the deadline."""
    while any(exports.under_way for exports in _all_exports):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_MOMENT)
    return True


@dataclass(eq=False)
class Attempt:
    """An export of a batch, from the first request to the last."""

    signal: Signal
    items: int
    """Spans, log records or metric points."""
    at_stake: int = 0
    """Items that a failure loses for good, or 1 for metrics whose next export makes up for it."""
    exports: Exports = field(default_factory=Exports)
    address: str = ""
    """URL of the receiver, without credentials."""
    cause: str = ""
    """Cause of the last failure; empty if the receiver accepted the batch."""
    rejected: int = 0
    """Items that the receiver rejected from a batch that it accepted."""
    remark: str = ""
    """Text of the receiver about a batch that it accepted."""
    unencodable: list[str] = field(default_factory=list[str])
    """An error for each item that is not sent, since no message of OTLP can contain it."""

    def note(self, cause: str) -> None:
        """Keep a cause that an exporter logged, unless a better cause is known."""
        self.cause = self.cause or cause

    def leave_out(self, error: str) -> None:
        """Leave out an item that cannot be encoded."""
        self.unencodable.append(error)
        self.at_stake -= 1

    def deliver(self, send: Callable[[float], T], timeout: float) -> T:
        """Send requests until one is answered, as long as an answer is to be hoped for.

        Args:
            send: sends a request with a timeout in seconds; raises `DeliveryError`.
            timeout: seconds for all requests together.

        Raises:
            DeliveryError: the last error; the items are not delivered.
        """
        deadline = time.monotonic() + timeout
        for backoff in _backoffs():
            seconds = self._seconds_until(deadline)
            if seconds <= 0:
                self.note("no time was left for a request")
                raise DeliveryError(self.cause)
            try:
                return send(seconds)
            except DeliveryError as error:
                self.cause = str(error)
                pause = backoff if error.pause is None else error.pause
                is_in_vain = error.is_unreachable and self.exports.is_stopping
                if not error.is_transient or is_in_vain or pause >= self._seconds_until(deadline):
                    raise
            self.exports.pause(pause)
        raise AssertionError("backoffs never end")

    def _seconds_until(self, deadline: float) -> float:
        """Return the seconds until the earliest of the deadlines."""
        bounds = (deadline, self.exports.deadline, _deadline.get())
        return min(bound for bound in bounds if bound is not None) - time.monotonic()


def _backoffs() -> Iterator[float]:
    """Yield 1, 2, 4 and so on in seconds, each with a jitter."""
    seconds = 1.0
    while True:
        yield seconds * random.uniform(*_JITTER)  # noqa: S311 - no secret
        seconds *= 2


exporting: Final[ContextVar[Attempt | None]] = ContextVar("exporting", default=None)
"""The export that the current thread runs."""


def current_attempt(signal: Signal) -> Attempt:
    """Return the export of the current thread; a new one for an exporter that nobody watches."""
    return exporting.get() or Attempt(signal, items=0)
