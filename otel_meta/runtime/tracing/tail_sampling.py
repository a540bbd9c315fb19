"""Tail sampling in the process: a bad request has its spans at the receiver, whatever its ratio.

The sampler decides at the head of a trace, and the flag that goes to other services says so: a set
flag means that every service exports its spans. Tail sampling adds to this. A request that the
sampler leaves out is recorded without the flag. Its spans wait in memory until the span of the
request ends, the local root. If the request is bad, the spans are exported; else they are dropped.
So the share of good requests is the sampler's, consistent over services, and a bad one has the
spans of this process. Nothing that depends on the flag (exemplars, the spans of other services)
claims a trace that is not there.

Memory is bounded by `MAX_SPANS` in all and `MAX_OF_TRACE` for a request. What does not fit is left
out; if the request turns out bad, the missing spans are counted as a fault. The root never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Protocol

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults

MAX_SPANS: Final = 20_000
"""Spans of all requests that wait for a decision."""
MAX_OF_TRACE: Final = 1_000
"""Spans of one request."""
KEPT: Final = "otel_meta.kept"
"""The attribute of a root that was kept by tail sampling, with the reason."""

_NS: Final = 1_000_000_000
_SOURCE: Final = "tail sampling"

Judge = Callable[[ReadableSpan, float], str]
"""Returns why a root of a duration in seconds is kept; "" if it need not be."""


class Queue(Protocol):
    """Takes spans for their export."""

    def put(self, span: ReadableSpan, /) -> None:
        """Queue a span, whatever its flags say."""


class TailSampling:
    """Decides on the traces that the sampler leaves out.

    Args:
        queues: export the spans of bad requests.
        faults: counts the missing spans of bad requests.
        slow: seconds above which a request is kept; 0 for no limit besides the SLOs.
    """

    def __init__(self, queues: tuple[Queue, ...], faults: Faults, slow: float) -> None:
        self._queues: Final = queues
        self._faults: Final = faults
        self._slow: Final = slow
        self._room: Final[list[None]] = [None] * MAX_SPANS
        self.judges: Final[list[Judge]] = [_error, self._too_slow]

    def trace_of(self, parent: Any, span_id: int, *, is_root: bool) -> UndecidedTrace | None:
        """Return the trace of a span that is not sampled; None if nothing has to be recorded.

        Args:
            parent: the current span at the start.
            span_id: of the span.
            is_root: True if the span has no parent in this process.
        """
        if is_root:
            return UndecidedTrace(self, span_id)
        trace: UndecidedTrace | None = getattr(parent, "undecided", None)
        return None if trace is None or trace.is_dropped else trace

    def reason(self, root: ReadableSpan) -> str:
        """Return why a trace is kept; "" if it is dropped."""
        seconds = ((root.end_time or 0) - (root.start_time or 0)) / _NS
        try:
            return next(filter(None, (judge(root, seconds) for judge in self.judges)), "")
        except Exception as error:
            reraise_interruption(error)
            self._faults.report(_SOURCE, type(error).__name__, error)
            return "error"

    def send(self, span: ReadableSpan) -> None:
        """Export a span."""
        for queue in self._queues:
            queue.put(span)

    def try_hold(self) -> bool:
        """Return True if there is room for another span."""
        try:
            self._room.pop()
        except IndexError as error:
            reraise_interruption(error)
            return False
        return True

    def release(self, spans: int) -> None:
        """Return the room of spans."""
        self._room.extend([None] * spans)

    def report_missing(self, spans: int) -> None:
        """Count spans of a kept trace for which there was no room."""
        detail = f"more than {MAX_SPANS} spans wait for a decision, or {MAX_OF_TRACE} of a request"
        self._faults.report(_SOURCE, "undecided", detail)
        self._faults.count_only(_SOURCE, "undecided", spans - 1)

    def _too_slow(self, _root: ReadableSpan, seconds: float) -> str:
        return "slow" if 0 < self._slow < seconds else ""


class UndecidedTrace:
    """The spans of one request, until its root ends.

    Args:
        tail: decides.
        root_id: the id of the root's span.
    """

    __slots__ = ("_is_kept", "_lock", "_missing", "_root_id", "_spans", "_tail")

    def __init__(self, tail: TailSampling, root_id: int) -> None:
        self._tail: Final = tail
        self._root_id: Final = root_id
        self._lock: Final = RLock()
        self._spans: list[ReadableSpan] = []
        self._missing = 0
        self._is_kept: bool | None = None

    def __del__(self) -> None:
        self._tail.release(len(self._spans))  # of a root that never ended

    @property
    def is_dropped(self) -> bool:
        """True once the trace is dropped: later spans need not be recorded."""
        return self._is_kept is False

    def ended(self, span: Any) -> None:
        """Hold an ended span, or decide if it is the root."""
        with self._lock:
            if self._is_kept is None and span.context.span_id == self._root_id:
                reason = self._tail.reason(span)
                self._decide(is_kept=bool(reason))
                span.note(KEPT, reason)
            elif self._is_kept is None:
                self._hold(span)
            if self._is_kept:
                self._tail.send(span)

    def _hold(self, span: ReadableSpan) -> None:
        if len(self._spans) < MAX_OF_TRACE and self._tail.try_hold():
            self._spans.append(span)
        else:
            self._missing += 1

    def _decide(self, *, is_kept: bool) -> None:
        self._is_kept = is_kept
        spans, self._spans = self._spans, []
        self._tail.release(len(spans))
        if not is_kept:
            return
        for span in spans:
            self._tail.send(span)
        if self._missing:
            self._tail.report_missing(self._missing)


def _error(root: ReadableSpan, _seconds: float) -> str:
    return "error" if root.status.status_code is StatusCode.ERROR else ""
